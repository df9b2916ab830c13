/** Requests of our own. Their correlation ids are negative, so that no log of a broker mixes them up with a client's. */
import { ApiKey } from './api-table.ts';
import { Writer } from './writer.ts';

const CLIENT_ID = 'slackwater';
/** KIP-511: letters, digits, '-' and '.', and a letter or digit at both ends. */
const SOFTWARE_VERSION = '0.1.0';
/** The oldest with a cluster id; every broker from 0.10.1 on has it. */
export const OWN_METADATA_VERSION = 2;

function request(apiKey: number, version: number, correlationId: number): Writer {
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

/** A client's Metadata request under our name. @param rest everything behind the client id */
export function metadataRequest(version: number, correlationId: number, rest: Buffer): Buffer {
  return request(ApiKey.metadata, version, correlationId).raw(rest).frame();
}
