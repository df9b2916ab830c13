/** Requests of our own. Their correlation ids are negative, so that no log of a broker mixes them up with a client's. */
import { ApiKey } from './api-table.ts';
import { Cursor, MalformedError } from './cursor.ts';
import { FIRST_FLEXIBLE_METADATA, type MetadataKey } from './housekeeping-cache.ts';
import { Writer } from './writer.ts';

const CLIENT_ID = 'slackwater';
const FIRST_METADATA_WITH_FLAG = 4;
const FIRST_METADATA_WITH_IDS = 10;
const TOPIC_ID_BYTES = 16;
/** KIP-511: letters, digits, '-' and '.', and a letter or digit at both ends. */
const SOFTWARE_VERSION = '0.1.0';
/** The oldest with a cluster id; every broker from 0.10.1 on has it. */
export const OWN_METADATA_VERSION = 2;

/** A request's header, its length aside; the tagged fields of a flexible one are the caller's. */
export function request(apiKey: number, version: number, correlationId: number): Writer {
  return new Writer(false).int16(apiKey).int16(version).int32(correlationId).string(CLIENT_ID);
}

export function apiVersionsRequest(version: number, correlationId: number): Buffer {
  const writer = request(ApiKey.apiVersions, version, correlationId);
  if (version < 3) return writer.frame();
  const body = new Writer(true).noTags().string(CLIENT_ID).string(SOFTWARE_VERSION).noTags();
  return writer.raw(body.bytes()).frame();
}

/** Asks for brokers and cluster id, and for no topic. */
export function topologyRequest(correlationId: number): Buffer {
  return request(ApiKey.metadata, OWN_METADATA_VERSION, correlationId).arrayLength(0).frame();
}

/**
 * A sleeper's question, asked alike but creating nothing: its client may have stopped asking, and a topic that was deleted
 * since must not come back. What exists is answered alike; what is missing carries an error code, and is not kept.
 *
 *   header tags; Topics [] { v10+ TopicId uuid, Name, v9+ tags }; v4+ AllowAutoTopicCreation bool; and more
 *
 * @returns what stands behind the client id; null if it would create all the same (before version 4 there is no flag), or
 *   does not follow its grammar
 */
export function creatingNothing({ version, rest }: MetadataKey): Buffer | null {
  const bytes = Buffer.from(rest, 'latin1');
  const cursor = new Cursor(bytes, 0, bytes.length, version >= FIRST_FLEXIBLE_METADATA);
  try {
    cursor.skipTags();
    const topics = cursor.arrayLength();
    if (version < FIRST_METADATA_WITH_FLAG) return topics > 0 ? null : bytes;
    for (let left = topics; left > 0; left -= 1) {
      if (version >= FIRST_METADATA_WITH_IDS) cursor.skip(TOPIC_ID_BYTES);
      cursor.skipString();
      cursor.skipTags();
    }
    const flagAt = cursor.at;
    cursor.skip(1);
    bytes[flagAt] = 0;
    return bytes;
  } catch (error) {
    if (error instanceof MalformedError) return null;
    throw error;
  }
}

/** A client's Metadata request under our name. @param rest everything behind the client id */
export function metadataRequest(version: number, correlationId: number, rest: Buffer): Buffer {
  return request(ApiKey.metadata, version, correlationId).raw(rest).frame();
}
