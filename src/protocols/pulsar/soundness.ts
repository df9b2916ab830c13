/**
 * What a broker takes for the fault of a whole connection: a required field that is missing, a name that it throws at. Who
 * sends such a thing must not take those with him who share his connection, so it is not passed on. Brokers say so
 * themselves of all else that may be wrong, to the one who asked.
 */
import { Type } from './commands.ts';
import { DELIMITED, FieldScanner, VARINT } from './field-scanner.ts';
import { leadingNumberAt } from './frame-head.ts';
import { type Command, commandIn, FRAME_HEAD_BYTES } from './message.ts';

/** `NamespaceName`: tenant and namespace, or tenant, cluster and namespace. */
const NAMESPACE = /^[-=:.\w]+(?:\/[-=:.\w]+){1,2}$/;
/** `LongSchemaVersion` */
const SCHEMA_VERSION_BYTES = 8;
const CHECKSUM_MAGIC = 0x0e01;
const CHECKSUM_BYTES = 6;
const SIZE_BYTES = 4;
/** The type of the command, the tag of its message and a length of one byte. */
const SEND_HEAD_BYTES = 4;
const MOST_VARINT_BYTES = 10;
const BITS = 32;

/** Fields of a message, below 32: those that are required, as bits, and fields that have such a shape themselves. */
interface Shape {
  readonly texts: number;
  readonly numbers: number;
  readonly within: Readonly<Record<number, Shape>>;
}

function bits(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all | (1 << number), 0);
}

function shapeOf({
  texts = [],
  numbers = [],
  within = {},
}: {
  texts?: number[];
  numbers?: number[];
  within?: Record<number, Shape>;
}): Shape {
  return { texts: bits(texts), numbers: bits(numbers), within };
}

const PAIR = shapeOf({ texts: [1, 2] });

const QUESTIONS: ReadonlyMap<number, Shape> = new Map([
  [Type.partitionedMetadata, shapeOf({ texts: [1], numbers: [2] })],
  [Type.lookup, shapeOf({ texts: [1], numbers: [2], within: { 8: PAIR } })],
  [Type.getTopicsOfNamespace, shapeOf({ texts: [2], numbers: [1], within: { 6: PAIR } })],
  [Type.getSchema, shapeOf({ texts: [2], numbers: [1] })],
]);
/** `EncryptionKeys`: key, value; metadata */
const KEY = shapeOf({ texts: [1, 2], within: { 3: PAIR } });
/** producer_name, sequence_id, publish_time; properties, encryption_keys */
const METADATA = shapeOf({ texts: [1], numbers: [2, 3], within: { 4: PAIR, 13: KEY } });
/** And which of how many chunks it is: num_chunks_from_msg, chunk_id. */
const CHUNK = { ...METADATA, numbers: METADATA.numbers | bits([27, 29]) };

/** Whether a question may be asked over a connection that others ask over too. @throws {MalformedError} */
export function isSoundQuestion(bytes: Buffer, command: Command): boolean {
  const shape = QUESTIONS.get(command.type);
  if (shape === undefined || !hasShape(bytes, command.at, command.end, shape)) return false;
  const scanner = new FieldScanner(bytes, command.at, command.end);
  while (scanner.next()) {
    if (scanner.wire !== DELIMITED) continue;
    const isNamespace = command.type === Type.getTopicsOfNamespace && scanner.number === 2;
    if (isNamespace && !NAMESPACE.test(bytes.toString('utf8', scanner.at, scanner.end))) return false;
    const isVersion = command.type === Type.getSchema && scanner.number === 3;
    if (isVersion && scanner.end - scanner.at !== SCHEMA_VERSION_BYTES) return false;
  }
  return true;
}

/**
 * Whether what stands behind the command of a SEND, in `bytes[at, end)`, is a message as far as brokers look into it: sizes
 * that fit, and the metadata's required fields. Neither checksum nor body are looked at. @throws {MalformedError}
 */
export function isSoundPayload(bytes: Buffer, at: number, end: number, isChunk = false): boolean {
  let position = at;
  if (end - position >= 2 && bytes.readUInt16BE(position) === CHECKSUM_MAGIC) position += CHECKSUM_BYTES;
  if (end - position < SIZE_BYTES) return false;
  const metadata = position + SIZE_BYTES;
  const size = bytes.readUInt32BE(position);
  return size <= end - metadata && hasShape(bytes, metadata, metadata + size, isChunk ? CHUNK : METADATA);
}

const PRODUCER_ID = 1;
/** producer_id, sequence_id */
const SEND = bits([PRODUCER_ID, 2]);
/** Transactions share no connections; not every client says of a producer that it is for some. */
const TRANSACTION = bits([4, 5]);
const IS_CHUNK = 7;
/** Of a broker that copies messages. */
const COPIED = bits([9]);
/** What a plain one has, of all that counts. */
const UNUSUAL = SEND | TRANSACTION | COPIED | bits([0, IS_CHUNK]);

/**
 * Whether a SEND may go over a connection that others use (`alone`: where its client's producers are by themselves), as far
 * as it is there in `bytes[start, end)`: its command is, and the message behind it is looked at once all of it is.
 *
 * @throws {MalformedError}
 */
export function soundnessOfSend(bytes: Buffer, start: number, end: number): 'sound' | 'alone' | 'unsound' {
  const found = isPlainSend(bytes, start) ? SEND : fieldsOfSend(bytes, start);
  if (found === 0) return 'unsound';
  const whole = start + SIZE_BYTES + bytes.readUInt32BE(start);
  const payload = start + FRAME_HEAD_BYTES + bytes.readUInt32BE(start + SIZE_BYTES);
  const isChunk = (found & (1 << IS_CHUNK)) !== 0;
  if (whole <= end && !isSoundPayload(bytes, payload, whole, isChunk)) return 'unsound';
  return (found & TRANSACTION) === 0 ? 'sound' : 'alone';
}

/** A sound SEND as everybody writes it, every message being one: nothing but numbers, in fields with tags of one byte. */
function isPlainSend(bytes: Buffer, start: number): boolean {
  if (leadingNumberAt(bytes, start, Type.send) === undefined) return false;
  const end = start + FRAME_HEAD_BYTES + bytes.readUInt32BE(start + SIZE_BYTES);
  let at = start + FRAME_HEAD_BYTES + SEND_HEAD_BYTES;
  let found = 0;
  while (at < end) {
    const tag = bytes[at] ?? 0;
    const field = 1 << (tag >> 3);
    const isTwice = field === 1 << PRODUCER_ID && (found & field) !== 0;
    if (tag >= 0x80 || (tag & 7) !== VARINT || isTwice) return false;
    found |= field;
    const first = at + 1;
    at = first;
    while ((bytes[at] ?? 0) >= 0x80) at += 1;
    at += 1;
    if (at - first > MOST_VARINT_BYTES) return false;
  }
  return at === end && (found & UNUSUAL) === SEND;
}

/** Those that it has, as bits; 0: it is not sound. @throws {MalformedError} */
function fieldsOfSend(bytes: Buffer, start: number): number {
  const { type, at, end } = commandIn(bytes, start);
  if (type !== Type.send) return 0;
  const scanner = new FieldScanner(bytes, at, end);
  let producers = 0;
  let found = 0;
  while (scanner.next()) {
    const { number, wire } = scanner;
    if (number === PRODUCER_ID) producers += wire === VARINT ? 1 : 2;
    const counts = wire === VARINT ? number !== IS_CHUNK || scanner.value !== 0n : (COPIED & (1 << number)) !== 0;
    if (number < BITS && counts) found |= 1 << number;
  }
  return producers === 1 && (found & (SEND | COPIED)) === SEND ? found : 0;
}

/** topic, producer_id, request_id; metadata */
const PRODUCER = shapeOf({ texts: [1], numbers: [2, 3], within: { 6: PAIR } });
const PRODUCER_SCHEMA = 7;
/** name, schema_data, type; properties */
const SCHEMA = shapeOf({ texts: [1, 3], numbers: [4], within: { 5: PAIR } });
/** `Schema.Type` up to ProtobufNative; brokers throw at a type that they do not know. */
const LAST_SCHEMA_TYPE = 20n;

/** Whether a producer may be opened on a connection that others use. @throws {MalformedError} */
export function isSoundProducer(bytes: Buffer, command: Command): boolean {
  if (!hasShape(bytes, command.at, command.end, PRODUCER)) return false;
  const scanner = new FieldScanner(bytes, command.at, command.end);
  while (scanner.next()) {
    if (scanner.number !== PRODUCER_SCHEMA || scanner.wire !== DELIMITED) continue;
    if (!hasShape(bytes, scanner.at, scanner.end, SCHEMA)) return false;
    const schema = new FieldScanner(bytes, scanner.at, scanner.end);
    while (schema.next()) if (schema.number === 4 && schema.value > LAST_SCHEMA_TYPE) return false;
  }
  return true;
}

function hasShape(bytes: Buffer, start: number, end: number, { texts, numbers, within }: Shape): boolean {
  const scanner = new FieldScanner(bytes, start, end);
  let found = 0;
  while (scanner.next()) {
    const { number, wire } = scanner;
    if (number >= BITS) continue;
    const bit = 1 << number;
    if ((wire === DELIMITED && (texts & bit) !== 0) || (wire === VARINT && (numbers & bit) !== 0)) found |= bit;
    const inner = wire === DELIMITED ? within[number] : undefined;
    if (inner !== undefined && !hasShape(bytes, scanner.at, scanner.end, inner)) return false;
  }
  return found === (texts | numbers);
}
