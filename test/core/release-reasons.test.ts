/** Each reason for which a connection to a broker is released, and the moment at which it arises. */
import t from 'tap';
import { RELEASE_REASONS, type ReleaseReason } from '../../src/contract/reasons.ts';
import { type CoreFixture, type Overrides, startCore } from '../support/core-fixture.ts';
import { FakeIdentities } from '../support/fake-identities.ts';

interface Case {
  readonly title: string;
  readonly overrides?: Overrides;
  /** All is well; nothing is released yet. */
  before(core: CoreFixture): Promise<void> | void;
  /** What brings it about. */
  trigger(core: CoreFixture): Promise<void> | void;
  /** The connection was never open. */
  isDial?: boolean;
}

const CASES: Readonly<Record<ReleaseReason, Case>> = {
  idle: {
    title: 'the detector found no valid data for connectionMaxIdleSeconds',
    before: (core) => {
      core.connect().send('pool');
      core.pass(180);
    },
    trigger: (core) => core.pass(65),
  },
  housekeeping_done: {
    title: 'it was opened for housekeeping alone and housekeepingLingerSeconds are over',
    before: (core) => {
      core.connect().send('house');
      core.pass(0.9);
    },
    trigger: (core) => core.pass(0.7),
  },
  excess: {
    title: 'it is beyond the cap and was quiet for excessLingerSeconds',
    overrides: { pool: { maxConnectionsPerBroker: 1 } },
    before: (core) => {
      const apps = [core.connect(), core.connect()];
      core.broker().manual = true;
      for (const app of apps) app.send('hold');
      for (const connection of core.broker().open) connection.answer();
      core.pass(9.9);
    },
    trigger: (core) => core.pass(0.7),
  },
  max_age: {
    title: 'it is older than maxConnectionAgeSeconds and quiet',
    overrides: { options: { connectionMaxIdleSeconds: 0 } },
    before: (core) => {
      core.connect().send('pool');
      core.pass(3599.9);
    },
    trigger: (core) => core.pass(0.7),
  },
  session_expired: {
    title: 'the session that the broker granted is nearly over',
    overrides: {
      identities: new FakeIdentities({ '': 'secret' }),
      prepare: ({ cluster }) => {
        cluster.users = new Map([['app', 'secret']]);
        cluster.sessionMilliseconds = 10_000;
      },
    },
    before: (core) => {
      core.connect().send('pool');
      core.pass(8.9);
    },
    trigger: (core) => core.pass(0.7),
  },
  broker_closed: {
    title: 'the broker sent a FIN',
    before: (core) => void core.connect().send('pool'),
    trigger: (core) => {
      core.broker().open[0]?.peer.close();
      core.pump();
    },
  },
  broker_reset: {
    title: 'the broker sent a RST',
    before: (core) => void core.connect().send('pool'),
    trigger: (core) => {
      core.broker().open[0]?.peer.rst();
      core.pump();
    },
  },
  dial_failed: {
    title: 'the broker did not take the connection',
    isDial: true,
    before: (core) => core.broker().stop(),
    trigger: (core) => void core.connect().send('pool'),
  },
  unsolicited_bytes: {
    title: 'the broker sent something and nothing was owed',
    before: (core) => void core.connect().send('pool'),
    trigger: (core) => {
      core.broker().open[0]?.peer.send('ok nobody 0\n');
      core.pump();
    },
  },
  protocol_error: {
    title: 'the broker sent what is no answer',
    before: (core) => {
      core.broker().manual = true;
      core.connect().send('pool');
    },
    trigger: (core) => {
      core.broker().open[0]?.peer.send('this is nonsense\n');
      core.pump();
    },
  },
  wrong_correlation_id: {
    title: 'the broker answered another request than the oldest',
    before: (core) => {
      core.broker().manual = true;
      core.connect().send('pool');
    },
    trigger: (core) => {
      core.broker().open[0]?.answer({ id: 'another' });
      core.pump();
    },
  },
  response_timeout: {
    title: 'no byte of an answer came for responseTimeoutSeconds',
    before: (core) => {
      core.broker().manual = true;
      core.connect().send('pool');
      core.pass(120);
    },
    trigger: (core) => core.pass(0.7),
  },
  abandoned: {
    title: 'its client died and an answer was owed',
    before: (core) => {
      core.broker().manual = true;
      core.connect().send('pool');
    },
    trigger: (core) => {
      const [client] = core.route.clients;
      core.network.wires.find((wire) => wire === client?.wire)?.peer.rst();
      core.pump();
    },
  },
  client_closed: {
    title: 'the client that it was pinned to for good is gone',
    before: (core) => void core.connect().send('share'),
    trigger: (core) => void core.control.closeClient('c1'),
  },
  cluster_changed: {
    title: 'another cluster answered the dial',
    isDial: true,
    before: (core) => {
      core.cluster.id = 'pond';
    },
    trigger: (core) => void core.connect().send('pool'),
  },
  condemned: {
    title: 'its broker has moved to another address',
    before: (core) => {
      core.connect().send('pool');
      core.addBroker('2');
      core.broker().address = 'broker-1:9093';
    },
    trigger: async (core) => {
      core.connect().send('meta');
      await core.settle();
    },
  },
  operator: {
    title: 'an operator condemned it',
    before: (core) => void core.connect().send('pool'),
    trigger: (core) => {
      const [upstream] = core.control.upstreams();
      core.control.condemnUpstream(`${upstream?.id}`, false);
    },
  },
  shutdown: {
    title: 'the sidecar ends',
    before: (core) => void core.connect().send('pool'),
    trigger: (core) => core.route.stop(),
  },
};

t.strictSame(Object.keys(CASES), [...RELEASE_REASONS], 'every reason has its case');

for (const [reason, { title, overrides, before, trigger, isDial = false }] of Object.entries(CASES)) {
  t.test(`${reason}: ${title}`, async (t) => {
    const core = await startCore(t, overrides);
    await before(core);
    t.strictSame(core.eventsOf('upstream.released'), [], 'not before');
    await trigger(core);
    const [released, ...more] = core.eventsOf('upstream.released');
    t.match(released, { reason, opened: !isDial, broker: '1', route: 'orders' });
    t.match(released?.detail, /\S/, 'with a detail');
    t.strictSame(
      more.filter((event) => event.opened),
      [],
      'and nothing else',
    );
    t.strictSame(core.eventsOf('invariant.violated'), []);
    if (reason !== 'shutdown')
      t.notOk(core.control.upstreams().some(({ id, state }) => id === released?.upstream && state !== 'released'));
  });
}
