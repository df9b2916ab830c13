/** The types that fields of messages have. */
import { MalformedError, type WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** `R` is what reading gives, `W` what writing takes: less, where fields have defaults. */
export interface Type<R, W = R> {
  read(from: WireReader): R;
  write(to: WireWriter, value: W): void;
  /** What the field means in a version that does not have it. */
  readonly absent: R;
}

export const int8: Type<number> = { read: (from) => from.int8(), write: (to, value) => to.int8(value), absent: -1 };
export const int16: Type<number> = { read: (from) => from.int16(), write: (to, value) => to.int16(value), absent: -1 };
export const int32: Type<number> = { read: (from) => from.int32(), write: (to, value) => to.int32(value), absent: -1 };
export const int64: Type<number> = { read: (from) => from.int64(), write: (to, value) => to.int64(value), absent: -1 };

export const boolean: Type<boolean> = {
  read: (from) => from.int8() !== 0,
  write: (to, value) => to.int8(value ? 1 : 0),
  absent: false,
};

export const NO_UUID = '00000000-0000-0000-0000-000000000000';

export const uuid: Type<string> = {
  read: (from) =>
    from
      .raw(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  write: (to, value) => to.raw(Buffer.from(value.replaceAll('-', ''), 'hex')),
  absent: NO_UUID,
};

function present<T>(value: T | null): T {
  if (value === null) throw new MalformedError('null where a value is required');
  return value;
}

export const nullableString: Type<string | null> = {
  read: (from) => from.string(),
  write: (to, value) => to.string(value),
  absent: null,
};

export const string: Type<string> = {
  read: (from) => present(from.string()),
  write: (to, value) => to.string(value),
  absent: '',
};

export const nullableBytes: Type<Buffer | null> = {
  read: (from) => from.bytes(),
  write: (to, value) => to.bytes(value),
  absent: null,
};

export const bytes: Type<Buffer> = {
  read: (from) => present(from.bytes()),
  write: (to, value) => to.bytes(value),
  absent: Buffer.alloc(0),
};

export function nullableArray<R, W>(element: Type<R, W>): Type<readonly R[] | null, readonly W[] | null> {
  return {
    read: (from) => {
      const length = from.arrayLength();
      return length < 0 ? null : Array.from({ length }, () => element.read(from));
    },
    write: (to, values) => {
      to.arrayLength(values === null ? -1 : values.length);
      for (const value of values ?? []) element.write(to, value);
    },
    absent: null,
  };
}

export function array<R, W>(element: Type<R, W>): Type<readonly R[], readonly W[]> {
  const nullable = nullableArray(element);
  return { read: (from) => present(nullable.read(from)), write: nullable.write, absent: [] };
}
