/**
 * FindCoordinator responses, versions 0 to 6.
 *
 *   v0-3: v1+ ThrottleTimeMs int32; ErrorCode int16; v1+ ErrorMessage nullable; NodeId, Host, Port; v3 tags
 *   v4+:  ThrottleTimeMs; Coordinators [] { Key, NodeId, Host, Port, ErrorCode int16, ErrorMessage nullable, tags }; tags
 */
import type { LocalAddresses } from '../../contract/topology.ts';
import type { Cursor } from './cursor.ts';
import type { Edit } from './edits.ts';
import { addressEdit, type Endpoint, readEndpoint } from './endpoints.ts';
import type { Findings } from './findings.ts';
import { Writer } from './writer.ts';

const COORDINATOR_NOT_AVAILABLE = 15;
const NODE_ID_BYTES = 4;
const ERROR_CODE_BYTES = 2;

interface Coordinator {
  readonly endpoint: Endpoint;
  readonly errorFrom: number;
}

export function readFindCoordinator(cursor: Cursor, version: number): Findings {
  const throttleMilliseconds = version >= 1 ? cursor.int32() : 0;
  const found = version >= 4 ? readBatch(cursor) : [readSingle(cursor, version)];
  // Without a coordinator the node is -1 and the host empty.
  const coordinators = found.filter(({ endpoint }) => Number(endpoint.node) >= 0);
  const nodes = coordinators.map(({ endpoint: { node, host, port } }) => ({ node, host, port }));
  return {
    topology: nodes.length === 0 ? null : { clusterId: null, nodes, complete: false },
    edits: (addresses) => coordinators.flatMap((each) => editCoordinator(each, addresses, cursor.flexible)),
    throttleMilliseconds,
    clean: true,
  };
}

function readSingle(cursor: Cursor, version: number): Coordinator {
  const errorFrom = cursor.at;
  cursor.skip(ERROR_CODE_BYTES);
  if (version >= 1) cursor.skipString();
  const endpoint = readEndpoint(cursor);
  cursor.skipTags();
  return { endpoint, errorFrom };
}

function readBatch(cursor: Cursor): Coordinator[] {
  const coordinators: Coordinator[] = [];
  for (let left = cursor.arrayLength(); left > 0; left -= 1) {
    cursor.skipString();
    const endpoint = readEndpoint(cursor);
    coordinators.push({ endpoint, errorFrom: cursor.at });
    cursor.skip(ERROR_CODE_BYTES);
    cursor.skipString();
    cursor.skipTags();
  }
  cursor.skipTags();
  return coordinators;
}

/** A coordinator that cannot be reached through us is not available, as if its broker were down. */
function editCoordinator({ endpoint, errorFrom }: Coordinator, addresses: LocalAddresses, flexible: boolean): Edit[] {
  const local = addresses.find(endpoint.node);
  if (local !== undefined && local !== 'unbindable') return [addressEdit(endpoint, local.host, local.port, flexible)];
  const nodeFrom = endpoint.addressFrom - NODE_ID_BYTES;
  const error = new Writer(flexible).int16(COORDINATOR_NOT_AVAILABLE).bytes();
  const edits = [
    { from: errorFrom, to: errorFrom + ERROR_CODE_BYTES, bytes: error },
    { from: nodeFrom, to: endpoint.addressFrom, bytes: new Writer(flexible).int32(-1).bytes() },
    addressEdit(endpoint, '', -1, flexible),
  ];
  return edits.sort((a, b) => a.from - b.from);
}
