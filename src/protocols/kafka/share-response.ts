/**
 * ShareFetch and ShareAcknowledge responses (KIP-932, KIP-1222), versions 1 and 2, always flexible. Their NodeEndpoints are
 * an ordinary last array.
 *
 *   ThrottleTimeMs int32; ErrorCode int16; ErrorMessage nullable; AcquisitionLockTimeoutMs int32 (acknowledge: v2+);
 *   Responses [] { TopicId uuid, Partitions [] { Index int32, ErrorCode int16, ErrorMessage nullable,
 *     fetch only: AcknowledgeErrorCode int16, AcknowledgeErrorMessage nullable,
 *     CurrentLeader { LeaderId int32, LeaderEpoch int32, tags },
 *     fetch only: Records, AcquiredRecords [] { FirstOffset int64, LastOffset int64, DeliveryCount int16, tags }, tags },
 *     tags }; NodeEndpoints []; tags
 */
import type { Cursor } from './cursor.ts';
import { endpointFindings, readNodeEndpoints } from './endpoints.ts';
import type { Findings } from './findings.ts';

export function readShareFetch(cursor: Cursor, _version: number): Findings {
  return readShare(cursor, true, true);
}

export function readShareAcknowledge(cursor: Cursor, version: number): Findings {
  return readShare(cursor, false, version >= 2);
}

function readShare(cursor: Cursor, fetch: boolean, lockTimeout: boolean): Findings {
  const throttleMilliseconds = cursor.int32();
  cursor.skip(2);
  cursor.skipString();
  if (lockTimeout) cursor.skip(4);
  for (let topics = cursor.arrayLength(); topics > 0; topics -= 1) {
    cursor.skip(16);
    for (let left = cursor.arrayLength(); left > 0; left -= 1) skipPartition(cursor, fetch);
    cursor.skipTags();
  }
  const list = readNodeEndpoints(cursor);
  cursor.skipTags();
  return endpointFindings(list, throttleMilliseconds);
}

function skipPartition(cursor: Cursor, fetch: boolean): void {
  cursor.skip(6);
  cursor.skipString();
  if (fetch) {
    cursor.skip(2);
    cursor.skipString();
  }
  cursor.skip(8);
  cursor.skipTags();
  if (fetch) {
    cursor.skipBytes();
    for (let left = cursor.arrayLength(); left > 0; left -= 1) {
      cursor.skip(18);
      cursor.skipTags();
    }
  }
  cursor.skipTags();
}
