/**
 * Protocol Buffers for the tests' own broker and client, as far as Pulsar uses them. Written apart from the product's codec,
 * so that neither repeats a mistake of the other. 64-bit numbers are BigInt throughout.
 *
 *   message := (VARINT number << 3 | wire, value)*
 *   wire 0 := VARINT; wire 1 := 8 bytes; wire 2 := VARINT length, bytes; wire 5 := 4 bytes
 */
export type Raw = bigint | Buffer;

export interface Codec<T> {
  readonly wire: 0 | 2;
  readonly toRaw: (value: T) => Raw;
  readonly fromRaw: (raw: Raw) => T;
}

export interface Field<T> {
  readonly number: number;
  readonly wire: 0 | 2;
  readonly write: (value: T) => readonly Raw[];
  /** All that came under this number, in order. */
  readonly read: (raws: readonly Raw[]) => T;
}

interface AnyField {
  readonly number: number;
  readonly write: (value: never) => readonly Raw[];
  readonly read: (raws: readonly Raw[]) => unknown;
}
export type Shape = Readonly<Record<string, AnyField>>;
export type Values<S> = { readonly [K in keyof S]?: S[K] extends Field<infer T> ? T : never };

const MASK = 0x7fn;
const LARGEST = 2n ** 64n - 1n;

export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > MASK) {
    bytes.push(Number(rest & MASK) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function readVarint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) throw new Error('a varint without an end');
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) {
      if (value > LARGEST) throw new Error('a varint of more than 64 bits');
      return { value, end: start + index + 1 };
    }
  }
  throw new Error('a varint of more than ten bytes');
}

/** Every field of a message, undecoded. @throws {Error} if it is no message */
export function scan(bytes: Buffer): ReadonlyMap<number, readonly Raw[]> {
  const fields = new Map<number, Raw[]>();
  let at = 0;
  while (at < bytes.length) {
    const key = readVarint(bytes, at);
    const wire = Number(key.value & 7n);
    const number = Number(key.value >> 3n);
    if (number === 0) throw new Error('a field without a number');
    let raw: Raw;
    if (wire === 0) {
      const { value, end } = readVarint(bytes, key.end);
      raw = value;
      at = end;
    } else {
      const length = wire === 2 ? readVarint(bytes, key.end) : { value: wire === 1 ? 8n : 4n, end: key.end };
      if (wire > 2 && wire !== 5) throw new Error(`a field of wire type ${wire}`);
      const end = length.end + Number(length.value);
      if (end > bytes.length) throw new Error('a field that is longer than its message');
      raw = Buffer.from(bytes.subarray(length.end, end));
      at = end;
    }
    fields.set(number, [...(fields.get(number) ?? []), raw]);
  }
  return fields;
}

export function writeField(number: number, raw: Raw): Buffer {
  if (typeof raw === 'bigint') return Buffer.concat([varint(BigInt(number) << 3n), varint(raw)]);
  return Buffer.concat([varint((BigInt(number) << 3n) | 2n), varint(BigInt(raw.length)), raw]);
}

function asNumber(raw: Raw): bigint {
  if (typeof raw !== 'bigint') throw new Error('bytes where a number was expected');
  return raw;
}

function asBytes(raw: Raw): Buffer {
  if (typeof raw === 'bigint') throw new Error('a number where bytes were expected');
  return raw;
}

const UINT64: Codec<bigint> = { wire: 0, toRaw: (value) => value, fromRaw: asNumber };
const INT64: Codec<bigint> = { wire: 0, toRaw: (value) => value, fromRaw: (raw) => BigInt.asIntN(64, asNumber(raw)) };
const INT32: Codec<number> = {
  wire: 0,
  toRaw: (value) => BigInt(value),
  fromRaw: (raw) => Number(BigInt.asIntN(32, asNumber(raw))),
};
const BOOL: Codec<boolean> = { wire: 0, toRaw: (value) => (value ? 1n : 0n), fromRaw: (raw) => asNumber(raw) !== 0n };
const STRING: Codec<string> = {
  wire: 2,
  toRaw: (value) => Buffer.from(value),
  fromRaw: (raw) => asBytes(raw).toString(),
};
const BYTES: Codec<Buffer> = { wire: 2, toRaw: (value) => value, fromRaw: asBytes };

function single<T>(codec: Codec<T>): (number: number) => Field<T> {
  return (number) => ({
    number,
    wire: codec.wire,
    write: (value) => [codec.toRaw(value)],
    read: (raws) => codec.fromRaw(raws.at(-1) ?? 0n),
  });
}

export const uint64 = single(UINT64);
export const int64 = single(INT64);
export const int32 = single(INT32);
export const bool = single(BOOL);
export const string = single(STRING);
export const bytes = single(BYTES);

export function message<S extends Shape>(shape: S): Codec<Values<S>> {
  return { wire: 2, toRaw: (values) => encode(shape, values), fromRaw: (raw) => decode(shape, asBytes(raw)) };
}

export function nested<S extends Shape>(number: number, shape: S): Field<Values<S>> {
  return single(message(shape))(number);
}

function list<T>(number: number, codec: Codec<T>): Field<readonly T[]> {
  return {
    number,
    wire: codec.wire,
    write: (values) => values.map(codec.toRaw),
    read: (raws) => raws.map(codec.fromRaw),
  };
}

export const strings = (number: number): Field<readonly string[]> => list(number, STRING);
export const messages = <S extends Shape>(number: number, shape: S): Field<readonly Values<S>[]> =>
  list(number, message(shape));

export function encode<S extends Shape>(shape: S, values: Values<S>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, field] of Object.entries(shape)) {
    const value = values[name] as never;
    if (value !== undefined) parts.push(...field.write(value).map((raw) => writeField(field.number, raw)));
  }
  return Buffer.concat(parts);
}

/** Fields that the shape does not know are left out. @throws {Error} if they are not such a message */
export function decode<S extends Shape>(shape: S, from: Buffer): Values<S> {
  const raws = scan(from);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape)) {
    const found = raws.get(field.number);
    if (found !== undefined) values[name] = field.read(found);
  }
  return values as Values<S>;
}
