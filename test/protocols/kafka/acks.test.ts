/** The acks of a Produce request decide whether an answer comes: they are found wherever they stand, and as soon as they are there. */
import t from 'tap';
import { Demand, Verdict } from '../../../src/contract/protocol.ts';
import { KafkaBench } from './kafka-bench.ts';
import { produceRequest } from './requests.ts';
import { form, frame, i16, i32, join, uvarint } from './wire.ts';

const VERSIONS = Array.from({ length: 14 }, (_, version) => version);

function inspect(bytes: Buffer, end = bytes.length) {
  const client = new KafkaBench().client();
  return { client, verdict: client.inspect(bytes, 0, end, true, false) };
}

t.test('acks of 1 and -1 lease, acks of 0 pin, in every version', async (t) => {
  for (const version of VERSIONS) {
    for (const transactionalId of [null, '', 'tx', 'x'.repeat(300)]) {
      for (const [acks, demand, pin] of [
        [-1, Demand.pool, undefined],
        [1, Demand.pool, undefined],
        [0, Demand.pin, 'acks_zero'],
      ] as const) {
        const { client, verdict } = inspect(produceRequest(version, 1, { acks, transactionalId }));
        t.match([verdict, client.demand, client.pin], [Verdict.forward, demand, pin], `v${version} acks ${acks}`);
        t.ok(client.work);
      }
    }
  }
});

t.test('the decision falls with the byte that completes the acks, and not before', async (t) => {
  for (const version of VERSIONS) {
    for (const clientId of [null, 'application']) {
      const tags = version >= 9 ? [{ tag: 3, bytes: Buffer.from('later') }] : [];
      const bytes = produceRequest(version, 1, { acks: 0, transactionalId: 'transaction', clientId, tags });
      const header = 14 + (clientId?.length ?? 0) + (version >= 9 ? 1 + 2 + 5 : 0);
      const id = version < 3 ? 0 : 'transaction'.length + (version >= 9 ? 1 : 2);
      const decided = header + id + 2;
      for (let end = 12; end <= bytes.length; end += 1) {
        const { client, verdict } = inspect(bytes, end);
        t.equal(client.size, bytes.length);
        if (end < decided) t.equal(verdict, Verdict.incomplete, `v${version} ${end} of ${decided}`);
        else t.match([verdict, client.pin], [Verdict.forward, 'acks_zero'], `v${version} ${end} of ${decided}`);
      }
    }
  }
});

t.test('acks are found behind a number that is longer than it needs to be', async (t) => {
  const longNull = Buffer.from([0x80, 0x00]);
  const head = [i16(0), i16(9), i32(1), form(false).string(null), uvarint(0)];
  const { client, verdict } = inspect(frame(...head, longNull, i16(1), i32(7), uvarint(1), uvarint(0)));
  t.match([verdict, client.demand, client.pin], [Verdict.forward, Demand.pool, undefined]);
});

t.test('a Produce that ends before its acks is no request', async (t) => {
  for (const version of VERSIONS) {
    const whole = produceRequest(version, 1, { acks: 1, transactionalId: 'transaction' });
    for (const end of [12, 13, 20, 25]) {
      const { client, verdict } = inspect(frame(whole.subarray(4, end)));
      t.match([verdict, client.closeReason], [Verdict.close, 'protocol_error'], `v${version} ${end}`);
      t.ok(client.closeDetail);
    }
  }
});

t.test('a Produce whose acks do not come is given up before it fills the memory', async (t) => {
  const head = [i16(0), i16(9), i32(1), form(false).string(null), uvarint(0), uvarint(90_000_001)];
  const bytes = join(i32(90_000_000), ...head, Buffer.alloc(300_000, 97));
  const early = inspect(bytes, 100_000);
  t.equal(early.verdict, Verdict.incomplete, 'two strings may be long');
  const { client, verdict } = inspect(bytes);
  t.match([verdict, client.closeReason], [Verdict.close, 'protocol_error']);
});
