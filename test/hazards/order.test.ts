/** H1, H2: what one client sent is worked through in its order, whichever connections it goes over. */
import t from 'tap';
import { startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import type { FakeConnection } from '../support/fake-broker.ts';
import { seeded } from '../support/seeded.ts';

const RUNS = 60;
const STEPS = 500;
const CLIENTS = 6;

/** Numbers of the requests of each client in the order in which brokers worked on them, and over how many connections. */
interface Worked {
  readonly numbers: number[];
  readonly over: Set<FakeConnection>;
}

t.test('whatever brokers delay, a request never overtakes the one before it', async (t) => {
  let requests = 0;
  let changes = 0;
  for (let seed = 0; seed < RUNS; seed += 1) {
    const random = seeded(seed);
    const core = await startCore(t, { random, pool: { maxConnectionsPerBroker: 3, slowAnswerMilliseconds: 60_000 } });
    const broker = core.broker();
    broker.manual = true;
    const apps = Array.from({ length: CLIENTS }, () => core.connect());
    const worked = new Map<string, Worked>(apps.map(({ number }) => [`a${number}`, { numbers: [], over: new Set() }]));
    const sent = new Map<FakeApp, number>(apps.map((app) => [app, 0]));
    const workOn = (connection: FakeConnection | undefined): void => {
      const [first] = connection?.waiting ?? [];
      if (connection === undefined || first === undefined) return;
      const [app = '', number] = first.id.split('-');
      if (!first.id.startsWith('own')) {
        worked.get(app)?.numbers.push(Number(number));
        worked.get(app)?.over.add(connection);
      }
      connection.answer();
    };
    const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
    for (let step = 0; step < STEPS; step += 1) {
      const app = pick(apps);
      if (app !== undefined && random() < 0.5) {
        app.send(random() < 0.2 ? 'shot' : 'pool');
        sent.set(app, (sent.get(app) ?? 0) + 1);
      }
      // One of the connections is slower than the others.
      if (random() < 0.5) workOn(pick(broker.open.slice(random() < 0.9 ? 1 : 0)));
      core.clock.advance(Math.floor(random() * 20));
    }
    for (let turn = 0; turn < 5000 && broker.open.some(({ waiting }) => waiting.length > 0); turn += 1) {
      for (const connection of broker.open) workOn(connection);
      core.clock.advance(10);
    }
    for (const [app, count] of sent) {
      const { numbers, over } = worked.get(`a${app.number}`) ?? { numbers: [], over: new Set() };
      const inOrder = Array.from({ length: count }, (_, index) => index + 1);
      if (numbers.join() !== inOrder.join()) t.strictSame(numbers, inOrder, `seed ${seed}, client ${app.number}`);
      requests += count;
      changes += over.size - 1;
    }
    if (core.disconnected.length > 0) t.fail(`seed ${seed}: ${core.disconnected}`);
  }
  t.ok(requests > 10_000, `${requests} requests`);
  t.ok(changes > RUNS * CLIENTS, `clients went on over another connection ${changes} times`);
});
