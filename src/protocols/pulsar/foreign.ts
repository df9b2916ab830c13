/** Recognises by its first bytes what is not Pulsar, so that the log can say what to do. */
import type { CloseReason } from '../../contract/reasons.ts';

const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 0x03;
const HTTP_METHODS = ['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI '];
const HTTP_WORDS: ReadonlySet<number> = new Set(HTTP_METHODS.map((word) => Buffer.from(word, 'latin1').readUInt32BE()));

export interface Foreign {
  readonly reason: CloseReason;
  readonly detail: string;
}

const TLS: Foreign = {
  reason: 'tls_on_plaintext',
  detail: 'the client speaks TLS to a plaintext listener: use pulsar://, not pulsar+ssl://, towards the sidecar',
};
const HTTP: Foreign = {
  reason: 'protocol_error',
  detail:
    'the client speaks HTTP to a Pulsar listener: use pulsar:// as service URL; metrics and probes are on health.listen, the admin API on admin.listen',
};

const KAFKA: Foreign = {
  reason: 'protocol_error',
  detail: 'the client speaks Kafka to a Pulsar listener: give it the listener of a route with protocol kafka',
};
/** What Kafka's clients ask first, in a version below 16; as the length of a command it would be more than a MiB. */
const KAFKA_API_VERSIONS = 18;
const MOST_KAFKA_VERSIONS = 16;
const KAFKA_HEAD_BYTES = 8;

/** @param start where at least four bytes stand, the first that this client sent */
export function recognise(bytes: Buffer, start: number, end: number): Foreign | null {
  if (bytes[start] === TLS_HANDSHAKE && bytes[start + 1] === TLS_MAJOR) return TLS;
  if (HTTP_WORDS.has(bytes.readUInt32BE(start))) return HTTP;
  if (end - start < KAFKA_HEAD_BYTES || bytes.readUInt16BE(start + 4) !== KAFKA_API_VERSIONS) return null;
  return bytes.readUInt16BE(start + 6) < MOST_KAFKA_VERSIONS ? KAFKA : null;
}
