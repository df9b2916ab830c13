/** What a look into a whole answer found. */
import type { LocalAddresses, Topology } from '../../contract/topology.ts';
import type { Edit } from './edits.ts';

export interface Findings {
  /** The brokers that it names; null if it names none. */
  readonly topology: Topology | null;
  /** The edits that put our addresses in; asked for once every named broker has a listener or cannot have one. */
  readonly edits: (addresses: LocalAddresses) => Edit[];
  readonly throttleMilliseconds: number;
  /** No error code stands in it, and it names a broker; of Produce, none that says that leaders moved. Said of no other. */
  readonly clean: boolean;
}

const noEdits = (): Edit[] => [];

/** Nothing but perhaps a throttle time. */
export function plainFindings(throttleMilliseconds: number): Findings {
  return { topology: null, edits: noEdits, throttleMilliseconds, clean: true };
}
