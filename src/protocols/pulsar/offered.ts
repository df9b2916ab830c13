/** What a broker said of itself, for people. */
import type { ProtocolRoute } from '../../contract/protocol.ts';
import { NEWEST_PROTOCOL } from './connect.ts';
import { PulsarRoute } from './route.ts';

export interface OfferedBroker {
  /** As it calls itself. */
  readonly version: string;
  readonly protocolVersion: number;
  /** The largest message that clients are told of. */
  readonly maxMessageBytes: number;
}

/** Of whom the route's own identity has asked at this node; null if nobody was, or it is another protocol. */
export function offeredBroker(route: ProtocolRoute, node: string): OfferedBroker | null {
  const said = route instanceof PulsarRoute ? route.wouldTell('', node, NEWEST_PROTOCOL) : null;
  if (said === null) return null;
  return {
    version: said.serverVersion,
    protocolVersion: said.protocolVersion,
    maxMessageBytes: said.maxMessageBytes,
  };
}
