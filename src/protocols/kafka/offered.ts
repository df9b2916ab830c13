/** What clients are told that a broker can, for people. */
import type { ProtocolRoute } from '../../contract/protocol.ts';
import { APIS } from './api-table.ts';
import { KafkaRoute } from './route.ts';

export interface OfferedApi {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The newest that we know. */
  readonly ours: number;
}

/** Of the broker whose greeting was answered last at this node; null if that says nothing, or it is another protocol. */
export function offeredApis(route: ProtocolRoute, node: string): readonly OfferedApi[] | null {
  const versions = route instanceof KafkaRoute ? route.versionsFor(node) : null;
  if (versions === null) return null;
  return [...versions.ranges].flatMap(([key, { min, max }]) => {
    const api = APIS[key];
    return api === undefined ? [] : [{ name: api.name, min, max, ours: api.maxVersion }];
  });
}
