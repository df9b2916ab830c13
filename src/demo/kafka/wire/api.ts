/**
 * APIs, and the frames that carry them:
 *
 *   frame    := int32 size of what follows, payload
 *   request  := int16 key, int16 version, int32 correlation id, NULLABLE_STRING client id (never compact),
 *               if flexible: tagged fields; body
 *   response := int32 correlation id, if flexible and not ApiVersions: tagged fields; body
 */
import type { Type } from './types.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface Api<QR, QW, AR, AW> {
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Compact lengths and tagged fields from this version on. */
  readonly flexibleFrom: number;
  readonly request: Type<QR, QW>;
  readonly response: Type<AR, AW>;
}

/** Any API, whose messages nobody looks into. */
export type AnyApi = Api<unknown, never, unknown, never>;

const API_VERSIONS = 18;

/** Identity: it makes the compiler infer the types of the messages. */
export function api<QR, QW, AR, AW>(definition: Api<QR, QW, AR, AW>): Api<QR, QW, AR, AW> {
  return definition;
}

export interface RequestHeader {
  readonly key: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** Reads the part of the header that all versions share. */
export function readRequestHeader(payload: Buffer): { readonly header: RequestHeader; readonly rest: Buffer } {
  const reader = new WireReader(payload, 0, false);
  const header = {
    key: reader.int16(),
    version: reader.int16(),
    correlationId: reader.int32(),
    clientId: reader.string(),
  };
  return { header, rest: reader.raw(reader.left) };
}

/** @param rest what follows the part of the header that all versions share */
export function readRequest<R>(api: Api<R, never, unknown, never>, version: number, rest: Buffer): R {
  const reader = new WireReader(rest, version, version >= api.flexibleFrom);
  if (reader.flexible) skipTags(reader);
  return api.request.read(reader);
}

export function writeRequest<W>(api: Api<unknown, W, unknown, never>, header: RequestHeader, body: W): Buffer {
  const { version } = header;
  const head = new WireWriter(version, false);
  head.int16(header.key);
  head.int16(version);
  head.int32(header.correlationId);
  head.string(header.clientId);
  const writer = new WireWriter(version, version >= api.flexibleFrom);
  if (writer.flexible) writer.uvarint(0);
  api.request.write(writer, body);
  return frame(head.finish(), writer.finish());
}

export function writeResponse<W>(
  api: Api<unknown, never, unknown, W>,
  version: number,
  correlationId: number,
  body: W,
): Buffer {
  const writer = new WireWriter(version, version >= api.flexibleFrom);
  writer.int32(correlationId);
  if (writer.flexible && api.key !== API_VERSIONS) writer.uvarint(0);
  api.response.write(writer, body);
  return frame(writer.finish());
}

/** @param payload a frame without its size */
export function readResponse<R>(api: Api<unknown, never, R, never>, version: number, payload: Buffer): R {
  const reader = new WireReader(payload, version, version >= api.flexibleFrom);
  reader.int32();
  if (reader.flexible && api.key !== API_VERSIONS) skipTags(reader);
  return api.response.read(reader);
}

export function frame(...parts: readonly Buffer[]): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([size, ...parts]);
}

function skipTags(reader: WireReader): void {
  for (let left = reader.uvarint(); left > 0; left -= 1) {
    reader.uvarint();
    reader.raw(reader.uvarint());
  }
}
