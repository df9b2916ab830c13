/** Clients of the bootstrap listener: which broker serves them. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { startCore } from '../support/core-fixture.ts';

t.test('a client of the bootstrap listener stays with one broker while that can be reached', async (t) => {
  const core = await startCore(t, { brokers: 3 });
  const app = core.connect(BOOTSTRAP);
  app.send('pool');
  const first = core.control.clients()[0]?.broker;
  const others = [1, 2, 3].filter((node) => `${node}` !== first).map((node) => core.connect(node));
  for (let turn = 0; turn < 5; turn += 1) {
    core.pass(300);
    for (const other of others) other.send('pool');
    app.send('pool');
    t.equal(core.control.clients()[0]?.broker, first);
  }
  core.pass(300);
  core.broker(`${first}`).stop();
  app.send('hi');
  app.send('pool');
  core.pass(1);
  const another = core.connect(BOOTSTRAP);
  another.send('pool');
  t.equal(another.answers.length, 1, 'while it is down another one serves');
  t.not(core.control.clients().at(-1)?.broker, first);
});

t.test('one that is new goes to a broker that is awake, so that none is woken for it', async (t) => {
  for (const awake of [1, 2, 3]) {
    const core = await startCore(t, { brokers: 3 });
    core.connect(awake).send('pool');
    core.network.dials.length = 0;
    const app = core.connect(BOOTSTRAP);
    app.send('pool');
    t.equal(app.answers.length, 1);
    t.strictSame(core.network.dials, []);
  }
});

t.test('a fleet spreads over the brokers, and each of it stays with its own', async (t) => {
  const chosen = new Set<string | null | undefined>();
  for (const preference of [0.1, 0.5, 0.9]) {
    const core = await startCore(t, { brokers: 3, random: () => preference });
    for (let turn = 0; turn < 3; turn += 1) {
      const app = core.connect(BOOTSTRAP);
      app.send('pool');
      chosen.add(core.control.clients().at(-1)?.broker);
      core.pass(300);
    }
  }
  t.equal(chosen.size, 3);
});
