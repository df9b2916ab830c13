/** The detector: when it looks, what it chooses, and what rescues a connection from it. */
import t, { type Test } from 'tap';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';

/** In the order of the draws; then 0.5. */
function draws(...values: number[]): () => number {
  return () => values.shift() ?? 0.5;
}

const WINDOWS: readonly (readonly [maxIdle: number, interval: number, spread: number])[] = [
  [180, 60, 5],
  [180, 20, 2],
  [30, 10, 1],
  [60, 300, 5],
];

for (const [maxIdle, interval, spread] of WINDOWS) {
  t.test(
    `with ${maxIdle} s and a look every ${interval} s a connection goes after ${maxIdle} to ${maxIdle + interval + spread} s`,
    async (t) => {
      const ages: number[] = [];
      for (let turn = 0; turn < 40; turn += 1) {
        // The phase of the looks, and when within the spread, are drawn.
        const random = (): number => ((turn * 0.382) % 1) * 0.999;
        const core = await startCore(t, {
          random,
          options: { connectionMaxIdleSeconds: maxIdle, connectionIdleDetectionIntervalSeconds: interval },
        });
        core.onEvent = (event) => {
          if (event.type === 'upstream.released') ages.push((core.clock.now() - worked) / 1000);
        };
        core.pass((turn * 7) % interval);
        core.connect().send('pool');
        const worked = core.clock.now();
        core.pass(maxIdle + interval + spread);
        t.strictSame(core.released, ['idle'], `draw ${random()}`);
      }
      t.ok(Math.min(...ages) >= maxIdle, `never before: ${Math.min(...ages)}`);
      t.ok(Math.max(...ages) <= maxIdle + interval + spread, `never after: ${Math.max(...ages)}`);
      t.ok(Math.max(...ages) - Math.min(...ages) > interval * 0.8, 'and spread over all of it');
    },
  );
}

t.test('the phase of the looks is drawn, so that a fleet does not look in step', async (t) => {
  for (const phase of [0.1, 0.6, 0.9]) {
    const core = await startCore(t, { random: draws(0.5, phase) });
    const before = core.route.detectorLastRunSeconds;
    core.pass(60 * phase - 3.1);
    t.equal(core.route.detectorLastRunSeconds, before, `not before ${phase} of the interval`);
    core.pass(0.2);
    t.not(core.route.detectorLastRunSeconds, before);
  }
});

/** A connection that the detector has just chosen, which goes two and a half seconds later. */
async function chosen(t: Test): Promise<{ core: CoreFixture; app: FakeApp }> {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(207.1);
  t.match(core.control.upstreams()[0], { state: 'before_release', why: 'chosen by the detector' });
  return { core, app };
}

t.test('a connection that was chosen goes over the time that follows', async (t) => {
  const { core } = await chosen(t);
  core.pass(2.3);
  t.strictSame(core.released, []);
  core.pass(0.2);
  t.strictSame(core.released, ['idle']);
  t.equal(core.route.reaped, 1);
  t.strictSame(core.eventsOf('pool.asleep').length, 1);
});

t.test('work that arrives meanwhile rescues it', async (t) => {
  const { core, app } = await chosen(t);
  app.send('pool');
  t.equal(app.answers.length, 2);
  core.pass(170);
  t.strictSame(core.released, []);
  t.equal(core.network.dials.length, 1);
});

t.test('work that is in the socket when its time has come rescues it', async (t) => {
  const { core, app } = await chosen(t);
  app.peer.send(app.frame('pool').bytes);
  core.clock.runTimers(2500);
  t.strictSame(core.released, [], 'not before the sockets were read');
  core.clock.readInput();
  core.pass(3);
  t.equal(app.answers.length, 2);
  t.strictSame(core.released, []);
});

t.test('a request that is under way when its time has come rescues it', async (t) => {
  const { core, app } = await chosen(t);
  core.broker().manual = true;
  app.send('pool');
  core.pass(60);
  t.strictSame(core.released, []);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(app.answers.length, 2);
});

t.test('what the broker sent first is heard first', async (t) => {
  const { core } = await chosen(t);
  core.broker().open[0]?.peer.close();
  core.clock.runTimers(2500);
  core.clock.readInput();
  t.strictSame(core.released, ['broker_closed']);
});

t.test('one that was chosen is lent only if there is no other', async (t) => {
  const core = await startCore(t);
  const [one, other] = [core.connect(), core.connect()];
  core.broker().manual = true;
  const both = (words: readonly [string, string]): void => {
    one.send(words[0]);
    other.send(words[1]);
    for (const app of [one, other]) {
      core
        .broker()
        .received.findLast(({ id }) => id.startsWith(`a${app.number}-`))
        ?.connection.answer();
      core.pump();
    }
  };
  both(['hold', 'hold']);
  core.pass(100);
  both(['pool', 'house']);
  core.pass(107.1);
  const states = new Map(core.control.upstreams().map(({ id, state }) => [state, id]));
  t.strictSame([...states.keys()].sort(), ['before_release', 'idle_marked']);
  one.send('pool');
  t.match(core.control.clients()[0], { upstream: states.get('idle_marked') }, 'though the other was used later');
  other.send('pool');
  t.match(core.control.clients()[1], { upstream: states.get('before_release') });
  core.pass(5);
  t.strictSame(core.released, []);
});

t.test('housekeeping is carried by one that was chosen, and does not keep it', async (t) => {
  const { core, app } = await chosen(t);
  app.send('house');
  core.pass(70);
  t.strictSame(core.released, ['idle']);
  t.equal(core.network.dials.length, 1);
});

t.test('a request that finds it leaving dials anew and loses nothing', async (t) => {
  const { core, app } = await chosen(t);
  core.pass(2.5);
  t.strictSame(core.released, ['idle']);
  app.send('pool');
  t.equal(app.answers.length, 2);
  t.equal(core.network.dials.length, 2);
});

for (const options of [{ autoReleaseIdleConnectionsEnabled: false }, { connectionMaxIdleSeconds: 0 }]) {
  t.test(`nothing is ever idle with ${JSON.stringify(options)}`, async (t) => {
    const core = await startCore(t, { options });
    core.connect().send('pool');
    core.pass(3000);
    t.strictSame(core.released, []);
    t.equal(core.control.upstreams()[0]?.releaseInSeconds, null, 'and nobody is told that it would go');
  });
}

t.test('after a standstill of the process the sockets are read before anything is judged', async (t) => {
  const core = await startCore(t);
  const app = core.connect();
  app.send('pool');
  core.pass(100);
  app.peer.send(app.frame('pool').bytes);
  const found: (string | undefined)[] = [];
  core.clock.input = () => {
    found.push(core.control.upstreams()[0]?.state);
    core.pump();
  };
  core.clock.stall(400_000);
  core.pass(6);
  t.equal(found[0], 'idle_marked', 'it was not even chosen');
  t.equal(app.answers.length, 2);
  t.strictSame(core.released, []);
});

t.test('when it looked last is known', async (t) => {
  const core = await startCore(t);
  core.pass(30);
  const { detectorLastRunSeconds } = core.control.figures();
  t.ok(core.clock.unixSeconds() - detectorLastRunSeconds < 60);
  core.pass(60);
  t.equal(core.control.figures().detectorLastRunSeconds, detectorLastRunSeconds + 60);
});

t.test('the time at which a connection is going to be released is foretold', async (t) => {
  const core = await startCore(t);
  core.connect().send('pool');
  core.pass(100);
  t.strictSame(core.control.upstreams()[0]?.releaseInSeconds, { earliest: 80, latest: 145 });
  const foretold = core.clock.now();
  core.onEvent = (event) => {
    if (event.type !== 'upstream.released') return;
    const after = (core.clock.now() - foretold) / 1000;
    t.ok(after >= 80 && after <= 145, `${after}`);
  };
  core.pass(145);
  t.strictSame(core.released, ['idle']);
});
