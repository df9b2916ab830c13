/** How messages of embedded brokers are written and read. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { SERVICES } from '../../../src/demo/kafka/handlers/services.ts';
import { FrameSplitter } from '../../../src/demo/kafka/net/frame-splitter.ts';
import { crc32c } from '../../../src/demo/kafka/state/crc32c.ts';
import { frame } from '../../../src/demo/kafka/wire/api.ts';
import { between, optional, since, struct, tagged } from '../../../src/demo/kafka/wire/struct.ts';
import { array, int16, int32, nullableString, string } from '../../../src/demo/kafka/wire/types.ts';
import { WireReader } from '../../../src/demo/kafka/wire/wire-reader.ts';
import { WireWriter } from '../../../src/demo/kafka/wire/wire-writer.ts';

const MALFORMED = { code: 'MALFORMED' };

const sample = struct({
  old: optional(between(0, 1, int16), 7),
  names: array(string),
  young: optional(since(2, nullableString)),
  hint: tagged(3, 2, struct({ node: int32 })),
});

function write(version: number, value: Parameters<typeof sample.write>[1]): Buffer {
  const writer = new WireWriter(version, version >= 2);
  sample.write(writer, value);
  return writer.finish();
}

t.test('a struct is written as its version has it', async (t) => {
  t.equal(write(1, { old: 5, names: ['ab'] }).toString('hex'), '0005' + '00000001' + '0002' + '6162');
  t.equal(write(1, { names: [] }).toString('hex'), '0007' + '00000000', 'what is left out takes its default');
  t.equal(write(2, { names: ['ab'], young: 'c' }).toString('hex'), '02' + '036162' + '0263' + '00');
  t.equal(
    write(2, { names: [], hint: { node: 9 } }).toString('hex'),
    '01' + '00' + '01' + '03' + '05' + '00000009' + '00',
    'tagged fields follow, each with tag and size',
  );
});

t.test('fields that a version does not have are read as their defaults', async (t) => {
  const read = (version: number, hex: string) =>
    sample.read(new WireReader(Buffer.from(hex, 'hex'), version, version >= 2));
  t.same(read(0, '000500000000'), { old: 5, names: [], young: null, hint: undefined });
  t.same(read(2, '010001030500000009' + '00'), { old: 7, names: [], young: null, hint: { node: 9 } });
});

t.test('tagged fields that nobody knows are skipped', async (t) => {
  const bytes = Buffer.from('0100' + '02' + '09' + '02' + 'ffff' + '03' + '05' + '00000009' + '00', 'hex');
  t.same(sample.read(new WireReader(bytes, 2, true)).hint, { node: 9 });
});

t.test('a field that ends beyond its message is malformed', async (t) => {
  for (const hex of ['00', '0005000000', '000500000001' + '0005' + '61', '0005' + '7fffffff'])
    t.throws(() => sample.read(new WireReader(Buffer.from(hex, 'hex'), 0, false)), MALFORMED, hex);
});

t.test('messages without anything in them survive writing and reading, in every version of every API', async (t) => {
  const changed: string[] = [];
  for (const { api } of SERVICES.values()) {
    for (let version = api.min; version <= api.max; version += 1) {
      const isFlexible = version >= api.flexibleFrom;
      for (const type of [api.request, api.response]) {
        const writer = new WireWriter(version, isFlexible);
        type.write(writer, type.absent as never);
        const reader = new WireReader(writer.finish(), version, isFlexible);
        if (!isDeepStrictEqual(type.read(reader), type.absent) || reader.left > 0)
          changed.push(`${api.name} ${version}`);
      }
    }
  }
  t.strictSame(changed, []);
});

t.test('frames come out the same however they are cut', async (t) => {
  const payload = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 5 }), fc.array(fc.nat(60)), (payloads, cuts) => {
      const stream = Buffer.concat(payloads.map((each) => frame(each)));
      const splitter = new FrameSplitter();
      const found: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        found.push(...splitter.push(stream.subarray(at, at + cut)));
        at = Math.min(stream.length, at + cut);
      }
      found.push(...splitter.push(stream.subarray(at)));
      return found.length === payloads.length && found.every((each, index) => each.equals(payloads[index]!));
    }),
  );
  t.throws(() => new FrameSplitter().push(Buffer.from('ffffffff', 'hex')), MALFORMED);
});

t.test('the checksum is CRC-32C', async (t) => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});
