import t from 'tap';
import { answer } from './answers.ts';
import { API_ROWS, type ApiRow } from './api-fixture.ts';
import { KafkaBench } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { NAMING, PASSING } from './samples.ts';
import { form, frame, i16, i32, join } from './wire.ts';

/** Delegation tokens, which have a file of their own. */
const TOKEN_KEYS = [38, 39, 40, 41];
/** Those whose answers are written out in full elsewhere. */
const WRITTEN = new Set([...[...NAMING, ...PASSING].map(({ key }) => key), ...TOKEN_KEYS]);

/** An answer's body with the throttle time in its place, and bytes around it that could be taken for one. */
function bodyOf({ throttlePlace }: ApiRow, throttle: number): Buffer {
  const after = Buffer.alloc(24, 1);
  switch (throttlePlace) {
    case 'first':
      return join(i32(throttle), after);
    case 'error':
      return join(i16(7), i32(throttle), after);
    default:
      return after;
  }
}

const FORWARDED = API_ROWS.filter(({ key, kind }) => (kind === 'pool' || kind === 'hold') && !WRITTEN.has(key));

for (const row of FORWARDED) {
  t.test(`${row.name}: a throttle time mutes the connection, where and since it stands in the answer`, async (t) => {
    for (let version = 0; version <= row.newest; version += 1) {
      const bytes = answer(row.key, version, 5, bodyOf(row, 4321));
      const says = version >= row.throttleFrom;
      for (const cuts of [[], [1], [11, 13], [bytes.length - 1]]) {
        const bench = new KafkaBench();
        const connection = bench.connect();
        connection.ask(bench.client(), anyRequest(row.key, version, 5));
        connection.read(bytes, cuts);
        const { facts } = connection.sink;
        t.same(connection.sink.delivered(), bytes);
        t.equal(facts.includes('muted 4321'), says, `v${version} cut at ${cuts}`);
        const worked = row.clock === 'yes' ? ['worked'] : [];
        if (says) t.same(facts, [...worked, 'muted 4321', `settled a ${bytes.length}`], 'behind the bytes');
      }
    }
  });
}

t.test('no throttle time, or a negative one, mutes nothing', async (t) => {
  for (const row of FORWARDED) {
    for (const throttle of [0, -1, -2_000_000_000]) {
      const bench = new KafkaBench();
      const connection = bench.connect();
      connection.ask(bench.client(), anyRequest(row.key, row.newest, 5));
      connection.read(answer(row.key, row.newest, 5, bodyOf(row, throttle)));
      const muted = connection.sink.facts.filter((fact) => fact.startsWith('muted'));
      t.same(muted, row.throttlePlace === '-' ? muted : [], `${row.name} ${throttle}`);
    }
  }
});

t.test('an answer too short to hold a throttle time is passed all the same', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(12, 1, 5));
  const bytes = answer(12, 1, 5, i16(7));
  connection.read(bytes);
  t.same(connection.sink.delivered(), bytes);
  t.same(connection.sink.facts, ['worked', 'settled a 10']);
});

t.test('throttle times of several answers: the longest is told, and only once it is known', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const id of [1, 2, 3]) connection.ask(client, anyRequest(12, 1, id));
  const bytes = [20, 70, 30].map((throttle, index) => answer(12, 1, index + 1, join(i32(throttle), i16(0))));
  connection.read(join(...bytes));
  const muted = connection.sink.facts.filter((fact) => fact.startsWith('muted')).map((fact) => Number(fact.slice(6)));
  t.equal(Math.max(...muted), 70);
  connection.sink.reset();
  connection.ask(client, anyRequest(12, 1, 4));
  connection.read(answer(12, 1, 4, join(i32(0), i16(0))));
  t.notOk(
    connection.sink.facts.some((fact) => fact.startsWith('muted')),
    'an old one is not told again',
  );
});

t.test('a throttle time is read to its last byte, however long it is, and from no other place', async (t) => {
  const mutes = (version: number, bytes: Buffer): string[] => {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), anyRequest(12, version, 5));
    connection.read(bytes);
    return connection.sink.facts.filter((fact) => fact.startsWith('muted'));
  };
  t.same(mutes(1, answer(12, 1, 5, i32(70))), ['muted 70'], 'nothing follows it');
  t.same(mutes(1, answer(12, 1, 5, i32(2_000_000_000))), ['muted 2000000000']);
  const tagged = form(true).tags({ tag: 3, bytes: i32(7) });
  t.same(mutes(4, frame(i32(5), tagged, i32(70), i16(0), form(true).tags())), [], 'an answer with tags before it');
});
