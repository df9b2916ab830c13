/** Encodes Kafka messages from a schema in the notation below; an encoder of its own, to judge readers by. */
type Value = unknown;
type Fields = Record<string, Value>;
export type Field = readonly [name: string, type: Type, from: number, to?: number];
export type Type =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'string'
  | 'bytes'
  | 'uuid'
  | readonly ['array', Type]
  | readonly ['struct', readonly Field[]];

export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127) {
    bytes.push((left & 127) | 128);
    left >>>= 7;
  }
  bytes.push(left);
  return Buffer.from(bytes);
}

function int(size: number, value: number): Buffer {
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigInt64BE(BigInt(value));
  else bytes.writeIntBE(value, 0, size);
  return bytes;
}

/** A struct's own tagged fields stand in `tags`, already encoded. */
function struct(fields: readonly Field[], values: Fields, version: number, flexible: boolean): Buffer {
  const parts: Buffer[] = [];
  for (const [name, type, from, to] of fields) {
    if (version < from || version > (to ?? 99)) continue;
    parts.push(encode(type, values[name], version, flexible));
  }
  if (flexible) {
    const tags = (values.tags ?? []) as [number, Buffer][];
    parts.push(uvarint(tags.length), ...tags.flatMap(([tag, bytes]) => [uvarint(tag), uvarint(bytes.length), bytes]));
  }
  return Buffer.concat(parts);
}

export function encode(type: Type, value: Value, version: number, flexible: boolean): Buffer {
  switch (type) {
    case 'int8':
      return int(1, (value as number) ?? 0);
    case 'int16':
      return int(2, (value as number) ?? 0);
    case 'int32':
      return int(4, (value as number) ?? 0);
    case 'int64':
      return int(8, (value as number) ?? 0);
    case 'uuid':
      return Buffer.alloc(16, 7);
    case 'string': {
      if (value === null || value === undefined) return flexible ? uvarint(0) : int(2, -1);
      const bytes = Buffer.from(value as string);
      return Buffer.concat([flexible ? uvarint(bytes.length + 1) : int(2, bytes.length), bytes]);
    }
    case 'bytes': {
      if (value === null || value === undefined) return flexible ? uvarint(0) : int(4, -1);
      const bytes = value as Buffer;
      return Buffer.concat([flexible ? uvarint(bytes.length + 1) : int(4, bytes.length), bytes]);
    }
    default: {
      const [kind, inner] = type;
      if (kind === 'struct') return struct(inner as readonly Field[], (value ?? {}) as Fields, version, flexible);
      if (value === null) return flexible ? uvarint(0) : int(4, -1);
      const items = (value ?? []) as Value[];
      const length = flexible ? uvarint(items.length + 1) : int(4, items.length);
      return Buffer.concat([length, ...items.map((item) => encode(inner as Type, item, version, flexible))]);
    }
  }
}

export function frame(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int(4, body.length), body]);
}

export function request(key: number, version: number, id: number, flexible: boolean, body = Buffer.alloc(0)): Buffer {
  const head = Buffer.concat([int(2, key), int(2, version), int(4, id), int(2, 3), Buffer.from('app')]);
  return frame(head, flexible ? uvarint(0) : Buffer.alloc(0), body);
}

export function answer(id: number, flexible: boolean, body: Buffer): Buffer {
  return frame(int(4, id), flexible ? uvarint(0) : Buffer.alloc(0), body);
}
