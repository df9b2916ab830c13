/** Each reason for which an application's socket is closed, the moment at which it arises, and how the socket ends. */
import t from 'tap';
import type { ClientSession, Protocol } from '../../src/contract/protocol.ts';
import { Verdict } from '../../src/contract/protocol.ts';
import { CLOSE_REASONS, type CloseReason } from '../../src/contract/reasons.ts';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { type CoreFixture, LISTEN, type Overrides, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import { FakeIdentities } from '../support/fake-identities.ts';
import { lineProtocol } from '../support/line-protocol.ts';

const twoUsers = new FakeIdentities({ alice: 'a', bob: 'b' });

interface Case {
  readonly title: string;
  readonly overrides?: Overrides;
  /** Whose first application it is that will be closed; a FIN unless it says otherwise. */
  readonly with?: 'FIN' | 'RST' | 'nothing';
  /** All is well; nobody is closed yet. Answers who will be, if not the first. */
  before(core: CoreFixture, app: FakeApp): Promise<FakeApp> | FakeApp | Promise<void> | void;
  trigger(core: CoreFixture, app: FakeApp): Promise<unknown> | unknown;
}

/** Closes every client for this reason as soon as it says anything; `dismiss`: after a last answer. */
function closingFor(reason: CloseReason, verdict: Verdict = Verdict.close): Protocol {
  return {
    name: 'line',
    createRoute: (context) => {
      const route = lineProtocol.createRoute(context);
      const client = route.client.bind(route);
      route.client = (node, user): ClientSession =>
        Object.defineProperties(client(node, user), {
          inspect: { value: () => verdict },
          answer: { value: () => Buffer.from('no') },
          closeReason: { value: reason },
          closeDetail: { value: 'as the protocol says' },
        });
      return route;
    },
  };
}

const saysSo: Omit<Case, 'overrides'> = {
  title: 'the protocol says so',
  before: () => undefined,
  trigger: (_core, app) => app.write('hello'),
};

const secured: Overrides = { listenTls: () => ({ options: {}, requiresCertificate: false }) };

const CASES: Readonly<Record<CloseReason, Case>> = {
  client_closed: {
    title: 'the application sent a FIN and nothing was owed',
    before: (_core, app) => void app.send('pool'),
    trigger: (_core, app) => app.fin(),
  },
  client_reset: {
    title: 'the application sent a RST',
    before: (_core, app) => void app.send('pool'),
    trigger: (_core, app) => app.reset(),
  },
  upstream_lost: {
    title: 'the broker went away and an answer was owed',
    before: (core, app) => {
      core.broker().manual = true;
      app.send('pool');
    },
    trigger: (core) => {
      core.broker().open[0]?.peer.close();
      core.pump();
    },
  },
  upstream_unavailable: {
    title: 'no connection to the broker could be made for its request',
    with: 'RST',
    before: (core) => core.broker().stop(),
    trigger: (_core, app) => app.send('pool'),
  },
  wait_timeout: {
    title: 'it waited for maxWaitMilliseconds',
    with: 'RST',
    overrides: { pool: { maxConnectionsPerBroker: 1, slowAnswerMilliseconds: 60_000 } },
    before: (core, app) => {
      core.broker().manual = true;
      app.send('pool');
      const waiting = core.connect();
      waiting.send('pool');
      core.pass(4.99);
      return waiting;
    },
    trigger: (core) => core.pass(0.02),
  },
  too_many_waiters: {
    title: 'maxWaiters others wait already',
    with: 'RST',
    overrides: { pool: { maxWaiters: 2 } },
    before: (core, app) => {
      core.broker().greets = false;
      app.send('pool');
      core.connect().send('pool');
      return core.connect();
    },
    trigger: (_core, app) => app.send('pool'),
  },
  too_many_clients: {
    title: 'maxClients others are connected',
    with: 'RST',
    overrides: { options: { maxClients: 2 } },
    before: (core) => void core.connect(),
    trigger: (core) => {
      const app = core.connect();
      core.pump();
      t.ok(app.wasReset);
      return app;
    },
  },
  protocol_error: {
    title: 'the application sent what is no request',
    before: () => undefined,
    trigger: (_core, app) => app.write('this is nonsense\n'),
  },
  frame_too_large: {
    title: 'the application announced a frame larger than maxFrameBytes',
    overrides: { limits: { maxFrameBytes: 1000 } },
    before: (_core, app) => void app.send('pool', { body: Buffer.alloc(900) }),
    trigger: (_core, app) => app.write('pool a1-2 1000\n'),
  },
  tls_on_plaintext: { ...saysSo, overrides: { protocol: closingFor('tls_on_plaintext') } },
  plaintext_on_tls: {
    title: 'the application spoke plaintext to a port that expects TLS',
    with: 'nothing',
    overrides: secured,
    before: () => undefined,
    trigger: (core) => core.network.failHandshake(LISTEN.port, { plaintext: true }),
  },
  tls_failed: {
    title: 'the handshake of the application failed',
    with: 'nothing',
    overrides: secured,
    before: () => undefined,
    trigger: (core) => core.network.failHandshake(LISTEN.port, { plaintext: false }),
  },
  authentication_failed: {
    ...saysSo,
    title: 'the protocol says so, and has a last word',
    overrides: { protocol: closingFor('authentication_failed', Verdict.dismiss) },
    trigger: (core, app) => {
      app.write('hello');
      core.pass(0.2);
    },
  },
  http_on_kafka: { ...saysSo, overrides: { protocol: closingFor('http_on_kafka') } },
  refused_api: {
    title: 'the application sent a request that is refused',
    before: (_core, app) => void app.send('pool'),
    trigger: (_core, app) => app.send('bad'),
  },
  stalled: {
    title: 'the application fell silent in the middle of a frame for clientStallSeconds',
    with: 'RST',
    before: (core, app) => {
      app.write('pool a1-1 100\nhalf');
      core.pass(60);
    },
    trigger: (core) => core.pass(0.7),
  },
  versions_changed: {
    title: 'the broker no longer speaks the versions that this client was told',
    before: (core, app) => {
      app.send('hi');
      app.send('pool');
      core.broker().open[0]?.peer.close();
      core.cluster.version = '2';
      core.pump();
    },
    trigger: (_core, app) => app.send('pool'),
  },
  broker_not_allowed: { ...saysSo, overrides: { protocol: closingFor('broker_not_allowed') } },
  broker_removed: {
    title: 'its broker is no longer part of the cluster',
    overrides: { brokers: 2 },
    before: async (core) => {
      const second = core.connect(2);
      second.send('pool');
      core.cluster.brokers.delete('2');
      const first = core.connect(1);
      first.send('meta');
      await core.settle();
      core.pass(301);
      return second;
    },
    trigger: async (core) => {
      core.connect(1).send('meta');
      await core.settle();
      core.pass(0.6);
    },
  },
  identity_removed: {
    title: 'the user that it authenticated as was removed',
    overrides: {
      identities: twoUsers,
      prepare: ({ cluster }) => {
        cluster.users = new Map([
          ['alice', 'a'],
          ['bob', 'b'],
        ]);
      },
    },
    before: (core) => {
      const app = core.connect(1, 'bob');
      app.send('pool');
      return app;
    },
    trigger: (core) => {
      twoUsers.remove('bob');
      core.pump();
    },
  },
  idle: {
    title: 'it sent no valid data for clientMaxIdleSeconds',
    overrides: { options: { clientMaxIdleSeconds: 30 } },
    before: (core, app) => {
      core.pass(20);
      app.send('pool');
      core.pass(29.9);
    },
    trigger: (core) => core.pass(0.7),
  },
  operator: {
    title: 'an operator closed it',
    before: (_core, app) => void app.send('pool'),
    trigger: (core) => {
      t.ok(core.control.closeClient('c1'));
      core.pump();
    },
  },
  shutdown: {
    title: 'the sidecar ends and nothing is owed',
    before: (_core, app) => void app.send('pool'),
    trigger: async (core) => {
      await core.route.drain();
      core.pump();
    },
  },
};

t.strictSame(Object.keys(CASES), [...CLOSE_REASONS], 'every reason has its case');

for (const [reason, { title, overrides, before, trigger, with: how = 'FIN' }] of Object.entries(CASES)) {
  t.test(`${reason}: ${title}`, async (t) => {
    const core = await startCore(t, overrides);
    const first = core.connect(reason === 'broker_removed' ? BOOTSTRAP : 1);
    const app = (await before(core, first)) ?? first;
    t.strictSame(core.eventsOf('client.disconnected'), [], 'not before');
    await trigger(core, app);
    const [disconnected, ...more] = core.eventsOf('client.disconnected');
    t.match(disconnected, { reason, route: 'orders', remote: /^.+:\d+$/ });
    t.strictSame(more, [], 'and nobody else');
    t.strictSame(core.eventsOf('invariant.violated'), []);
    if (reason === 'too_many_clients' || reason === 'client_reset') return;
    t.equal(app.wasReset, how === 'RST');
    t.equal(app.wasEnded, how === 'FIN');
  });
}
