/**
 * Metadata responses, versions 0 to 13.
 *
 *   v3+ ThrottleTimeMs int32; Brokers [] { NodeId, Host, Port, v1+ Rack nullable, v9+ tags };
 *   v2+ ClusterId nullable; v1+ ControllerId int32;
 *   Topics [] { ErrorCode int16, Name (v12+ nullable), v10+ TopicId uuid, v1+ IsInternal bool,
 *     Partitions [] { ErrorCode int16, Index int32, Leader int32, v7+ LeaderEpoch int32, Replicas [] int32,
 *       Isr [] int32, v5+ OfflineReplicas [] int32, v9+ tags }, v8+ AuthorizedOperations int32, v9+ tags };
 *   v8-10 ClusterAuthorizedOperations int32; v13+ ErrorCode int16; v9+ tags
 */
import type { Cursor } from './cursor.ts';
import { editList, nodesOf, readEndpointList } from './endpoints.ts';
import type { Findings } from './findings.ts';

export function readMetadata(cursor: Cursor, version: number): Findings {
  const throttleMilliseconds = version >= 3 ? cursor.int32() : 0;
  const list = readEndpointList(cursor, () => {
    if (version >= 1) cursor.skipString();
    cursor.skipTags();
  });
  const clusterId = version >= 2 ? cursor.string() : null;
  if (version >= 1) cursor.skip(4);
  let clean = true;
  for (let left = cursor.arrayLength(); left > 0; left -= 1) clean = readTopic(cursor, version) && clean;
  if (version >= 8 && version <= 10) cursor.skip(4);
  if (version >= 13) clean = cursor.int16() === 0 && clean;
  cursor.skipTags();
  const nodes = nodesOf(list);
  return {
    // A broker that names nobody, not even itself, does not know its cluster yet, or sends its clients elsewhere.
    topology: { clusterId, nodes, complete: nodes.length > 0 },
    edits: (addresses) => editList(list, addresses),
    throttleMilliseconds,
    clean: clean && nodes.length > 0,
  };
}

/** True if no error code stands in it. */
function readTopic(cursor: Cursor, version: number): boolean {
  let clean = cursor.int16() === 0;
  cursor.skipString();
  if (version >= 10) cursor.skip(16);
  if (version >= 1) cursor.skip(1);
  for (let left = cursor.arrayLength(); left > 0; left -= 1) clean = readPartition(cursor, version) && clean;
  if (version >= 8) cursor.skip(4);
  cursor.skipTags();
  return clean;
}

function readPartition(cursor: Cursor, version: number): boolean {
  const clean = cursor.int16() === 0;
  cursor.skip(version >= 7 ? 12 : 8);
  cursor.skipArrayOf(4);
  cursor.skipArrayOf(4);
  if (version >= 5) cursor.skipArrayOf(4);
  cursor.skipTags();
  return clean;
}
