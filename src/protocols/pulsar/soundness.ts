/**
 * What a broker takes for the fault of a whole connection: a required field that is missing, a name that it throws at. Who
 * sends such a thing must not take those with him who share his connection, so it is not passed on. Brokers say so
 * themselves of all else that may be wrong, to the one who asked.
 */
import { Type } from './commands.ts';
import { DELIMITED, FieldScanner, VARINT } from './field-scanner.ts';
import { type Command, commandIn, FRAME_HEAD_BYTES } from './message.ts';

/** `NamespaceName`: tenant and namespace, or tenant, cluster and namespace. */
const NAMESPACE = /^[-=:.\w]+(?:\/[-=:.\w]+){1,2}$/;
/** `LongSchemaVersion` */
const SCHEMA_VERSION_BYTES = 8;
const CHECKSUM_MAGIC = 0x0e01;
const CHECKSUM_BYTES = 6;
const SIZE_BYTES = 4;

/** Fields of a message: `pairs` are key and value, each required. */
interface Shape {
  readonly texts: readonly number[];
  readonly numbers: readonly number[];
  readonly pairs: number;
}

const QUESTIONS: ReadonlyMap<number, Shape> = new Map([
  [Type.partitionedMetadata, { texts: [1], numbers: [2], pairs: 0 }],
  [Type.lookup, { texts: [1], numbers: [2], pairs: 8 }],
  [Type.getTopicsOfNamespace, { texts: [2], numbers: [1], pairs: 6 }],
  [Type.getSchema, { texts: [2], numbers: [1], pairs: 0 }],
]);
const PAIR: Shape = { texts: [1, 2], numbers: [], pairs: 0 };
/** producer_name, sequence_id, publish_time; properties */
const METADATA: Shape = { texts: [1], numbers: [2, 3], pairs: 4 };

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
export function isSoundPayload(bytes: Buffer, at: number, end: number): boolean {
  let position = at;
  if (end - position >= 2 && bytes.readUInt16BE(position) === CHECKSUM_MAGIC) position += CHECKSUM_BYTES;
  if (end - position < SIZE_BYTES) return false;
  const metadata = position + SIZE_BYTES;
  const size = bytes.readUInt32BE(position);
  return size <= end - metadata && hasShape(bytes, metadata, metadata + size, METADATA);
}

/** Of a transaction (4, 5), or of a broker that copies messages (9): neither shares connections. */
const SEND_OF_OTHERS = new Set([4, 5, 9]);

/**
 * Whether a SEND may go over a connection that others use, as far as it is there in `bytes[start, end)`: its command is, and
 * the message behind it is looked at once all of it is. @throws {MalformedError}
 */
export function isSoundSend(bytes: Buffer, start: number, end: number): boolean {
  const { type, at, end: messageEnd } = commandIn(bytes, start);
  if (type !== Type.send) return false;
  const scanner = new FieldScanner(bytes, at, messageEnd);
  let producers = 0;
  let hasSequence = false;
  while (scanner.next()) {
    const { number, wire } = scanner;
    if (SEND_OF_OTHERS.has(number)) return false;
    if (number === 1) producers += wire === VARINT ? 1 : 2;
    hasSequence ||= number === 2 && wire === VARINT;
  }
  if (producers !== 1 || !hasSequence) return false;
  const whole = start + SIZE_BYTES + bytes.readUInt32BE(start);
  if (whole > end) return true;
  return isSoundPayload(bytes, start + FRAME_HEAD_BYTES + bytes.readUInt32BE(start + SIZE_BYTES), whole);
}

/** topic, producer_id, request_id; metadata */
const PRODUCER: Shape = { texts: [1], numbers: [2, 3], pairs: 6 };
const PRODUCER_SCHEMA = 7;
/** name, schema_data, type; properties */
const SCHEMA: Shape = { texts: [1, 3], numbers: [4], pairs: 5 };
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

/** At most 32 required fields. */
function hasShape(bytes: Buffer, start: number, end: number, { texts, numbers, pairs }: Shape): boolean {
  const scanner = new FieldScanner(bytes, start, end);
  let found = 0;
  while (scanner.next()) {
    const { number, wire } = scanner;
    const isRequired = wire === DELIMITED ? texts.includes(number) : wire === VARINT && numbers.includes(number);
    if (isRequired) found |= 1 << number;
    const isPair = number === pairs && wire === DELIMITED;
    if (isPair && !hasShape(bytes, scanner.at, scanner.end, PAIR)) return false;
  }
  let wanted = 0;
  for (const number of texts) wanted |= 1 << number;
  for (const number of numbers) wanted |= 1 << number;
  return found === wanted;
}
