/**
 * Producers that share connections, come and go, move and sleep, in an order that is drawn: whatever happens in between, each
 * message is stored once and in its producer's order, and no broker finds fault with a connection.
 * SLACKWATER_SEED=n runs that one alone, SLACKWATER_SEEDS=n so many.
 */
import t from 'tap';
import { Application, type AppProducer } from '../../support/pulsar/application.ts';
import { startPulsar } from '../../support/pulsar/memory.ts';
import { seeded } from '../../support/seeded.ts';

const STEPS = 250;
const TOPICS = ['a', 'b', 'c'].map((name) => `persistent://public/default/${name}`);
const WHOLE_FRAME_BYTES = 2048;

async function run(t: { teardown(task: () => Promise<void>): unknown }, seed: number): Promise<string[]> {
  const random = seeded(seed);
  const upTo = (count: number): number => Math.floor(random() * count);
  const one = <T>(all: readonly T[]): T | undefined => all[upTo(all.length)];
  const sidecar = await startPulsar(t, {
    brokers: 2,
    cluster: { deduplication: true, redirects: random() < 0.3 },
    options: { connectionMaxIdleSeconds: 10, connectionIdleDetectionIntervalSeconds: 5 },
    limits: { wholeFrameBytes: WHOLE_FRAME_BYTES },
  });
  const { network, cluster } = sidecar;
  const pumpAll = network.pump.bind(network);
  let isSlow = true;
  network.pump = () => {
    if (!isSlow) pumpAll();
  };
  const all: Application[] = [];
  const gone = new Set<Application>();
  const producers: AppProducer[] = [];
  const deliverSome = (): void => {
    for (let count = upTo(30); count > 0; count -= 1) {
      const next = one(network.deliverable());
      if (next === undefined) return;
      if (next.inwards) next.wire.deliverIn(random() < 0.3 ? 1 + upTo(40) : Number.POSITIVE_INFINITY);
      else next.wire.deliverOut();
    }
  };
  let texts = 0;
  const acts: readonly [weight: number, name: string, act: () => void][] = [
    [
      3,
      'open',
      () => {
        const app = all.length < 5 ? new Application(() => sidecar.open()) : one(all.filter((each) => !gone.has(each)));
        if (app === undefined || app.producers.length > 3) return;
        if (!all.includes(app)) all.push(app);
        producers.push(app.producer(one(TOPICS) ?? ''));
      },
    ],
    [
      30,
      'send',
      () => {
        const producer = one(producers);
        texts += 1;
        producer?.send(`${texts} ${random() < 0.05 ? 'x'.repeat(2 * WHOLE_FRAME_BYTES) : ''}`);
      },
    ],
    [2, 'unload', () => cluster.unload(one(TOPICS) ?? '', upTo(2), random() < 0.5)],
    [2, 'reset', () => one(cluster.brokers.flatMap(({ open }) => open))?.reset()],
    // A broker closes a producer once its messages are stored, and makes one while it does other things.
    [3, 'hold', () => one(cluster.brokers)?.holdAnswers('SEND', 'CLOSE_PRODUCER')],
    [1, 'hold producers', () => one(cluster.brokers)?.hold('PRODUCER')],
    [6, 'release', () => one(cluster.brokers)?.release()],
    [6, 'retry', () => one(all)?.retry()],
    [8, 'tick', () => sidecar.clock.advance(1 + upTo(3000))],
    [
      3,
      'sleep',
      () => {
        for (const broker of cluster.brokers) broker.release(); // what was held comes before what comes next
        isSlow = false;
        pumpAll();
        for (let second = 0; second < 25; second += 1) {
          sidecar.clock.advance(1000);
          pumpAll();
        }
        isSlow = true;
      },
    ],
    [
      1,
      'end',
      () => {
        const app = one(all.filter((each) => !gone.has(each)));
        if (app === undefined || all.length - gone.size < 2) return;
        gone.add(app);
        for (const each of app.producers) producers.splice(producers.indexOf(each), 1);
        if (random() < 0.5) app.end();
        else app.reset();
      },
    ],
  ];
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  for (let step = 0; step < STEPS; step += 1) {
    let at = random() * total;
    const drawn = acts.find(([weight]) => {
      at -= weight;
      return at < 0;
    });
    drawn?.[2]();
    deliverSome();
  }
  for (let round = 0; round < 12; round += 1) {
    isSlow = true;
    for (const broker of cluster.brokers) broker.release();
    isSlow = false;
    sidecar.pump();
    for (let second = 0; second < 5; second += 1) {
      sidecar.clock.advance(1000);
      sidecar.pump();
    }
    for (const each of all) if (!gone.has(each)) each.retry();
  }
  const faults: string[] = [...cluster.faults];
  const entries = TOPICS.flatMap((name) => cluster.topic(name).entries);
  for (const { name, pending, topic, acknowledged } of producers) {
    if (pending.length > 0) faults.push(`${pending.length} messages of ${name} are not acknowledged`);
    const theirs = cluster.topic(topic).entries.filter(({ producerName }) => producerName === name);
    const stored = theirs.map(({ body }) => body.toString());
    if (stored.join('|') !== acknowledged.join('|'))
      faults.push(`${name}: ${stored.length} stored, ${acknowledged.length} acknowledged`);
  }
  const bodies = new Set(entries.map(({ body }) => body.toString()));
  if (bodies.size !== entries.length) faults.push(`${entries.length - bodies.size} messages twice`);
  for (const app of all) faults.push(...app.strayed);
  for (const app of all) faults.push(...app.errors.filter((error) => /receipt/.test(error)));
  const reasons = sidecar.closeReasons.filter(
    (reason) =>
      !['client_closed', 'client_reset', 'upstream_lost', 'upstream_unavailable', 'wait_timeout'].includes(reason),
  );
  faults.push(...reasons);
  faults.push(...network.faults);
  faults.push(...sidecar.events.filter(({ type }) => type.startsWith('invariant')).map((each) => JSON.stringify(each)));
  return faults;
}

const only = process.env.SLACKWATER_SEED;
const count = Number(process.env.SLACKWATER_SEEDS ?? 40);
const seeds = only === undefined ? Array.from({ length: count }, (_, index) => index) : [Number(only)];

t.test('each message is stored once and in order, whatever happens', async (t) => {
  for (const seed of seeds) {
    try {
      const faults = await run(t, seed);
      if (faults.length > 0) t.fail(`seed ${seed}: ${faults.slice(0, 6).join('; ')}`);
    } catch (error) {
      t.fail(`seed ${seed}: ${String(error)}`);
    }
  }
  t.pass('seeds');
});
