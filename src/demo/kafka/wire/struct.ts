/**
 * Structs as tables of fields: what a message of Kafka's specification lists, written once, read and written from there.
 *
 *   struct := the fields that the version has, in order; if flexible: tagged fields
 *   tagged fields := UVARINT count, count x (UVARINT tag, UVARINT size, bytes)
 */
import type { Type } from './types.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

interface Field<R, W, O extends boolean> {
  readonly type: Type<R, W>;
  /** The versions that have it. */
  readonly from: number;
  readonly to: number;
  /** A tagged field is left out when it is not given. */
  readonly tag: number | undefined;
  /** May be left out by whoever writes; then `type.absent` is written. */
  readonly optional: O;
}

type Entry = Type<unknown, never> | Field<unknown, never, boolean>;
type Fields = Readonly<Record<string, Entry>>;

type ReadOf<E> = E extends Field<infer R, never, boolean> ? R : E extends Type<infer R, never> ? R : never;
type WriteOf<E> = E extends Field<unknown, infer W, boolean> ? W : E extends Type<unknown, infer W> ? W : never;
type OptionalKeys<S> = { [K in keyof S]: S[K] extends Field<unknown, never, true> ? K : never }[keyof S];

type StructRead<S> = { readonly [K in keyof S]: ReadOf<S[K]> };
type StructWrite<S> = { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: WriteOf<S[K]> } & {
  readonly [K in OptionalKeys<S>]?: WriteOf<S[K]> | undefined;
};

/** What reading such a type gives. */
export type Read<T> = T extends Type<infer R, never> ? R : never;
/** What writing such a type takes. */
export type Write<T> = T extends Type<unknown, infer W> ? W : never;

/** A field of these versions, bounds included. */
export function between<R, W>(from: number, to: number, type: Type<R, W>): Field<R, W, false> {
  return { type, from, to, tag: undefined, optional: false };
}

export function since<R, W>(from: number, type: Type<R, W>): Field<R, W, false> {
  return between(from, Number.POSITIVE_INFINITY, type);
}

/** May be left out by whoever writes; then `absent` is written, and read in versions without the field. */
export function optional<R, W>(field: Type<R, W> | Field<R, W, false>, ...absent: [] | [absent: R]): Field<R, W, true> {
  const { type, from, to } = isField(field) ? field : since(0, field);
  return {
    type: absent.length === 0 ? type : { ...type, absent: absent[0] },
    from,
    to,
    tag: undefined,
    optional: true,
  };
}

/** Written only if given; `undefined` when a message does not carry it. */
export function tagged<R, W>(tag: number, from: number, type: Type<R, W>): Field<R | undefined, W, true> {
  return { type: { ...type, absent: undefined }, from, to: Number.POSITIVE_INFINITY, tag, optional: true };
}

function isField<R, W, O extends boolean>(entry: Type<R, W> | Field<R, W, O>): entry is Field<R, W, O> {
  return 'type' in entry;
}

export function struct<S extends Fields>(fields: S): Type<StructRead<S>, StructWrite<S>> {
  const table = Object.entries(fields).map(([name, entry]) => ({
    name,
    ...(isField(entry) ? entry : since(0, entry)),
  }));
  const plain = table.filter(({ tag }) => tag === undefined);
  const tags = table.filter(({ tag }) => tag !== undefined);
  const has = ({ from, to }: { readonly from: number; readonly to: number }, version: number): boolean =>
    version >= from && version <= to;
  const absent = Object.fromEntries(table.map(({ name, type }) => [name, type.absent]));

  function readTags(from: WireReader, values: Record<string, unknown>): void {
    for (let left = from.uvarint(); left > 0; left -= 1) {
      const tag = from.uvarint();
      const bytes = from.raw(from.uvarint());
      const field = tags.find((each) => each.tag === tag && has(each, from.version));
      if (field !== undefined) values[field.name] = field.type.read(new WireReader(bytes, from.version, true));
    }
  }

  function writeTags(to: WireWriter, values: Readonly<Record<string, unknown>>): void {
    const given = tags.filter((each) => values[each.name] !== undefined && has(each, to.version));
    to.uvarint(given.length);
    for (const { name, tag, type } of given) {
      const bytes = new WireWriter(to.version, true);
      type.write(bytes, values[name] as never);
      const written = bytes.finish();
      to.uvarint(tag ?? 0);
      to.uvarint(written.length);
      to.raw(written);
    }
  }

  return {
    read: (from) => {
      const values: Record<string, unknown> = { ...absent };
      for (const field of plain) if (has(field, from.version)) values[field.name] = field.type.read(from);
      if (from.flexible) readTags(from, values);
      return values as StructRead<S>;
    },
    write: (to, given) => {
      const values: Readonly<Record<string, unknown>> = given;
      for (const field of plain) {
        if (has(field, to.version)) {
          const value = values[field.name];
          field.type.write(to, (value === undefined ? field.type.absent : value) as never);
        }
      }
      if (to.flexible) writeTags(to, values);
    },
    absent: absent as StructRead<S>,
  };
}
