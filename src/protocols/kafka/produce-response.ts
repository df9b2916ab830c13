/**
 * Produce responses, versions 1 to 13.
 *
 *   Responses [] { v0-12 Name, v13+ TopicId uuid, Partitions [] { Index int32, ErrorCode int16, BaseOffset int64,
 *     v2+ LogAppendTimeMs int64, v5+ LogStartOffset int64, v8+ RecordErrors [] { BatchIndex int32, Message nullable, tags },
 *     v8+ ErrorMessage nullable, v9+ tags }, v9+ tags };
 *   ThrottleTimeMs int32; v9+ tags, of which v10+ 0: NodeEndpoints (KIP-951)
 */
import { type Cursor, MalformedError } from './cursor.ts';
import { editList, nodesOf, readNodeEndpoints } from './endpoints.ts';
import { type Findings, plainFindings } from './findings.ts';
import { Writer } from './writer.ts';

const NODE_ENDPOINTS_TAG = 0;
/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_TOPIC_ID. */
const MOVED: ReadonlySet<number> = new Set([3, 5, 6, 74, 100]);

export function readProduce(cursor: Cursor, version: number): Findings {
  let clean = true;
  for (let left = cursor.arrayLength(); left > 0; left -= 1) clean = readTopic(cursor, version) && clean;
  const throttleMilliseconds = cursor.int32();
  const findings = cursor.flexible ? readTags(cursor, throttleMilliseconds) : plainFindings(throttleMilliseconds);
  return clean ? findings : { ...findings, clean };
}

/** False if its sender will look for other leaders. */
function readTopic(cursor: Cursor, version: number): boolean {
  let clean = true;
  if (version >= 13) cursor.skip(16);
  else cursor.skipString();
  const offsets = 8 + (version >= 2 ? 8 : 0) + (version >= 5 ? 8 : 0);
  for (let left = cursor.arrayLength(); left > 0; left -= 1) {
    cursor.skip(4);
    if (MOVED.has(cursor.int16())) clean = false;
    cursor.skip(offsets);
    if (version >= 8) skipErrors(cursor);
    cursor.skipTags();
  }
  cursor.skipTags();
  return clean;
}

function skipErrors(cursor: Cursor): void {
  for (let left = cursor.arrayLength(); left > 0; left -= 1) {
    cursor.skip(4);
    cursor.skipString();
    cursor.skipTags();
  }
  cursor.skipString();
}

function readTags(cursor: Cursor, throttleMilliseconds: number): Findings {
  let found: Findings | null = null;
  for (let left = cursor.uvarint(); left > 0; left -= 1) {
    const tag = cursor.uvarint();
    const sizeFrom = cursor.at;
    const size = cursor.uvarint();
    const sizeTo = cursor.at;
    if (tag !== NODE_ENDPOINTS_TAG) {
      cursor.skip(size);
      continue;
    }
    const list = readNodeEndpoints(cursor);
    if (found !== null || cursor.at !== sizeTo + size)
      throw new MalformedError(`a list of brokers that is not one of ${size} bytes at byte ${sizeTo}`);
    found = {
      topology: { clusterId: null, nodes: nodesOf(list), complete: false },
      edits: (addresses) => {
        const edits = editList(list, addresses);
        const grown = edits.reduce((sum, edit) => sum + edit.bytes.length - (edit.to - edit.from), 0);
        const newSize = new Writer(true).uvarint(size + grown).bytes();
        return [{ from: sizeFrom, to: sizeTo, bytes: newSize }, ...edits];
      },
      throttleMilliseconds,
      clean: true,
    };
  }
  return found ?? plainFindings(throttleMilliseconds);
}
