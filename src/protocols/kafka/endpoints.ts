/**
 * Brokers named by an answer, and what is written in their place. Every such entry begins NodeId int32, Host STRING,
 * Port int32; what follows (rack, flags, tags) is kept as it is.
 */
import type { BrokerNode, LocalAddresses } from '../../contract/topology.ts';
import type { Cursor } from './cursor.ts';
import type { Edit } from './edits.ts';
import { type Findings, plainFindings } from './findings.ts';
import { Writer } from './writer.ts';

export interface Endpoint {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Where Host and Port stand. */
  readonly addressFrom: number;
  readonly addressTo: number;
}

export interface ListedEndpoint extends Endpoint {
  /** The whole entry. */
  readonly from: number;
  readonly to: number;
}

export interface EndpointList {
  /** Where the array's length stands. */
  readonly lengthFrom: number;
  readonly lengthTo: number;
  readonly flexible: boolean;
  readonly entries: readonly ListedEndpoint[];
}

export function readEndpoint(cursor: Cursor): Endpoint {
  const node = String(cursor.int32());
  const addressFrom = cursor.at;
  const host = cursor.string() ?? '';
  const port = cursor.int32();
  return { node, host, port, addressFrom, addressTo: cursor.at };
}

/** @param skipRest reads what follows the port */
export function readEndpointList(cursor: Cursor, skipRest: () => void): EndpointList {
  const lengthFrom = cursor.at;
  const length = cursor.arrayLength();
  const lengthTo = cursor.at;
  const entries: ListedEndpoint[] = [];
  for (let index = 0; index < length; index += 1) {
    const from = cursor.at;
    const endpoint = readEndpoint(cursor);
    skipRest();
    entries.push({ ...endpoint, from, to: cursor.at });
  }
  return { lengthFrom, lengthTo, flexible: cursor.flexible, entries };
}

/** `NodeEndpoints` of Produce, Fetch, ShareFetch and ShareAcknowledge (KIP-951, KIP-932): flexible, with a rack. */
export function readNodeEndpoints(cursor: Cursor): EndpointList {
  return readEndpointList(cursor, () => {
    cursor.skipString();
    cursor.skipTags();
  });
}

export function addressEdit(endpoint: Endpoint, host: string, port: number, flexible: boolean): Edit {
  const bytes = new Writer(flexible).string(host).int32(port).bytes();
  return { from: endpoint.addressFrom, to: endpoint.addressTo, bytes };
}

/** What an answer is that names these brokers, perhaps among others, and nothing else of the cluster. */
export function endpointFindings(list: EndpointList, throttleMilliseconds: number): Findings {
  if (list.entries.length === 0) return plainFindings(throttleMilliseconds);
  return {
    topology: { clusterId: null, nodes: nodesOf(list), complete: false },
    edits: (addresses) => editList(list, addresses),
    throttleMilliseconds,
    clean: true,
  };
}

export function nodesOf({ entries }: EndpointList): BrokerNode[] {
  return entries.map(({ node, host, port }) => ({ node, host, port }));
}

/** Puts the local addresses in; brokers whose listener cannot be bound are left out, as if they were down. */
export function editList(list: EndpointList, addresses: LocalAddresses): Edit[] {
  const edits: Edit[] = [];
  let kept = list.entries.length;
  for (const entry of list.entries) {
    const local = addresses.find(entry.node);
    if (local === 'unbindable' || local === undefined) {
      edits.push({ from: entry.from, to: entry.to, bytes: Buffer.alloc(0) });
      kept -= 1;
    } else {
      edits.push(addressEdit(entry, local.host, local.port, list.flexible));
    }
  }
  if (kept < list.entries.length) {
    const bytes = new Writer(list.flexible).arrayLength(kept).bytes();
    edits.unshift({ from: list.lengthFrom, to: list.lengthTo, bytes });
  }
  return edits;
}
