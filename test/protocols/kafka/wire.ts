/**
 * Kafka's primitive types, written from the protocol guide for these tests alone, so that a mistake of the product's own
 * writer cannot hide behind itself.
 */
export type Wire = Buffer;

export function join(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

export function i8(value: number): Buffer {
  return Buffer.from([value & 0xff]);
}
export function i16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff]);
}
export function i32(value: number): Buffer {
  return Buffer.from([(value >> 24) & 0xff, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);
}
export function i64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return Buffer.from([...bytes, left]);
}

/** One field of a tagged section. */
export interface Tag {
  readonly tag: number;
  readonly bytes: Buffer;
}

/** The types whose form depends on whether a version is flexible. */
export interface Form {
  readonly flexible: boolean;
  string(value: string | null): Buffer;
  bytes(value: Buffer | null): Buffer;
  array(elements: readonly Buffer[] | null): Buffer;
  /** Nothing at all where the version is not flexible. */
  tags(...tags: readonly Tag[]): Buffer;
}

const PLAIN: Form = {
  flexible: false,
  string: (value) => (value === null ? i16(-1) : join(i16(Buffer.byteLength(value)), Buffer.from(value))),
  bytes: (value) => (value === null ? i32(-1) : join(i32(value.length), value)),
  array: (elements) => (elements === null ? i32(-1) : join(i32(elements.length), ...elements)),
  tags: () => Buffer.alloc(0),
};

const FLEXIBLE: Form = {
  flexible: true,
  string: (value) => (value === null ? uvarint(0) : join(uvarint(Buffer.byteLength(value) + 1), Buffer.from(value))),
  bytes: (value) => (value === null ? uvarint(0) : join(uvarint(value.length + 1), value)),
  array: (elements) => (elements === null ? uvarint(0) : join(uvarint(elements.length + 1), ...elements)),
  tags: (...tags) =>
    join(uvarint(tags.length), ...tags.map(({ tag, bytes }) => join(uvarint(tag), uvarint(bytes.length), bytes))),
};

export function form(flexible: boolean): Form {
  return flexible ? FLEXIBLE : PLAIN;
}

/** A frame: its length, then the rest. */
export function frame(...parts: readonly Buffer[]): Buffer {
  const rest = join(...parts);
  return join(i32(rest.length), rest);
}
