/** Recognises by its first bytes what is not Kafka, so that the log can say what to do. */
import type { CloseReason } from '../../contract/reasons.ts';

const TLS_HANDSHAKE = 0x16;
const TLS_ALERT = 0x15;
const TLS_MAJOR = 0x03;
const HTTP_METHODS = ['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI '];
const HTTP_WORDS: ReadonlySet<number> = new Set(HTTP_METHODS.map((word) => Buffer.from(word, 'latin1').readInt32BE()));

export interface Foreign {
  readonly reason: CloseReason;
  readonly detail: string;
}

const TLS: Foreign = {
  reason: 'tls_on_plaintext',
  detail: 'the client speaks TLS to a plaintext listener: set security.protocol=PLAINTEXT towards the sidecar',
};
const HTTP: Foreign = {
  reason: 'http_on_kafka',
  detail:
    'the client speaks HTTP to a Kafka listener: metrics and probes are on health.listen, the admin API on admin.listen',
};

const PULSAR: Foreign = {
  reason: 'protocol_error',
  detail: 'the client speaks Pulsar to a Kafka listener: give it the listener of a route with protocol pulsar',
};
/** Pulsar's CONNECT: the size of all, the size of the command, which is all there is, and its type. */
const PULSAR_HEAD_BYTES = 10;
const PULSAR_CONNECT = 0x0802;
/** In Kafka the second size is the version of a Produce request. */
const LEAST_CONNECT_BYTES = 16;

/** @param start where at least four bytes stand, the first that this client sent */
export function recognise(bytes: Buffer, start: number, end: number): Foreign | null {
  if (bytes[start] === TLS_HANDSHAKE && bytes[start + 1] === TLS_MAJOR) return TLS;
  if (HTTP_WORDS.has(bytes.readInt32BE(start))) return HTTP;
  if (end - start < PULSAR_HEAD_BYTES || bytes.readUInt16BE(start + 8) !== PULSAR_CONNECT) return null;
  const commandBytes = bytes.readInt32BE(start + 4);
  return commandBytes >= LEAST_CONNECT_BYTES && commandBytes === bytes.readInt32BE(start) - 4 ? PULSAR : null;
}

/** Whether a server says its first bytes in TLS: its answer to plaintext is an alert. A frame that began so would be huge. */
export function answersInTls(bytes: Buffer, start: number, end: number): boolean {
  return end - start >= 2 && bytes[start] === TLS_ALERT && bytes[start + 1] === TLS_MAJOR;
}
