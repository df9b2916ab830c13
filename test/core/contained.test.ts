/** A fault of ours is counted, takes the connection whose state nobody knows any more, and nobody else. */
import t, { type Test } from 'tap';
import type { ClientSession, Protocol, UpstreamSession, UpstreamSink } from '../../src/contract/protocol.ts';
import { type CoreFixture, startCore } from '../support/core-fixture.ts';
import type { FakeApp } from '../support/fake-app.ts';
import { lineProtocol } from '../support/line-protocol.ts';

interface Faults {
  client?(session: ClientSession): void;
  upstream?(session: UpstreamSession<unknown>): void;
}

/** The line protocol, with sessions that are changed after their making. */
function faulty({ client, upstream }: Faults): Protocol {
  return {
    name: 'line',
    createRoute: (context) => {
      const route = lineProtocol.createRoute(context);
      const makeClient = route.client.bind(route);
      const makeUpstream = route.upstream.bind(route);
      route.client = (node, user) => {
        const session = makeClient(node, user);
        client?.(session);
        return session;
      };
      route.upstream = <T>(...about: Parameters<typeof makeUpstream>): UpstreamSession<T> => {
        const session = makeUpstream<T>(...about);
        upstream?.(session);
        return session;
      };
      return route;
    },
  };
}

/** Before a call of this method `first` may throw. */
function before<T extends object, K extends keyof T>(
  of: T,
  method: K,
  first: (...parameters: unknown[]) => void,
): void {
  const original = of[method];
  if (typeof original !== 'function') throw new Error(`${String(method)} is no method`);
  Object.defineProperty(of, method, {
    value: (...parameters: unknown[]) => {
      first(...parameters);
      return Reflect.apply(original, of, parameters);
    },
  });
}

/** One that is about to meet a fault, and one that has nothing to do with it. */
async function two(t: Test, faults: Faults): Promise<{ core: CoreFixture; app: FakeApp; other: FakeApp }> {
  const core = await startCore(t, { protocol: faulty(faults) });
  const [app, other] = [core.connect(), core.connect()];
  core.broker().manual = true;
  other.send('hold');
  return { core, app, other };
}

function othersGoOn(t: Test, core: CoreFixture, other: FakeApp): void {
  t.ok(other.isOpen);
  core.broker().open[0]?.answer();
  core.broker().manual = false;
  core.pump();
  t.equal(other.answers.length, 1);
  other.send('pool');
  t.equal(other.answers.length, 2);
}

t.test('a fault while a request is looked at resets that client', async (t) => {
  const { core, app, other } = await two(t, {
    client: (session) =>
      before(session, 'inspect', (bytes) => {
        if (Buffer.isBuffer(bytes) && bytes.includes('body of doom')) throw new Error('doom');
      }),
  });
  app.send('pool', { body: 'body of doom' });
  t.ok(app.wasReset);
  t.match(core.eventsOf('client.disconnected'), [{ reason: 'protocol_error', client: 'c1' }]);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /doom/ }]);
  othersGoOn(t, core, other);
});

t.test('a fault while a request that waited is looked at again resets that client', async (t) => {
  let looks = 0;
  const { core, app, other } = await two(t, {
    client: (session) =>
      before(session, 'inspect', (bytes) => {
        if (!Buffer.isBuffer(bytes) || !bytes.includes('body of doom')) return;
        looks += 1;
        if (looks > 1) throw new Error('doom');
      }),
  });
  core.broker().greets = false;
  app.send('pool', { body: 'body of doom' });
  core.clock.advance(20);
  t.ok(app.isOpen);
  core.broker().greets = true;
  core.broker().open[1]?.answer();
  core.pump();
  t.ok(app.wasReset);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /doom/ }]);
  othersGoOn(t, core, other);
  t.ok(
    core.control.upstreams().every(({ state }) => state === 'idle_marked'),
    'its connection had nothing to do with it',
  );
});

t.test('a fault while an answer is read ends that connection and its client', async (t) => {
  const { core, app, other } = await two(t, {
    upstream: (session) =>
      before(session, 'read', (bytes) => {
        if (Buffer.isBuffer(bytes) && bytes.includes('answer of doom')) throw new Error('doom');
      }),
  });
  app.send('pool');
  core.clock.advance(20);
  core.broker().open[1]?.answer({ body: 'answer of doom' });
  core.pump();
  t.notOk(app.isOpen);
  t.strictSame(core.released, ['protocol_error']);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /doom/ }]);
  othersGoOn(t, core, other);
});

t.test('a move that no upstream may make is counted, and ends that connection and its client', async (t) => {
  let doomed = false;
  const { core, app, other } = await two(t, {
    upstream: (session) =>
      before(session, 'read', (_bytes, _start, _end, sink) => {
        if (!doomed) return;
        doomed = false;
        (sink as UpstreamSink<unknown>).ready(); // as if it had just been dialled
      }),
  });
  const id = app.send('pool');
  core.clock.advance(20);
  doomed = true;
  core.broker().open[1]?.peer.send(`ok ${id} 100\nhalf of it`);
  core.pump();
  t.notOk(app.isOpen);
  t.strictSame(core.released, ['protocol_error']);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /one tenant at a time/ }]);
  othersGoOn(t, core, other);
});

t.test('a fault while an answer goes on that waited for a listener ends that connection and its client', async (t) => {
  const { core, app, other } = await two(t, {
    upstream: (session) =>
      before(session, 'resume', () => {
        throw new Error('doom');
      }),
  });
  core.network.holdsBinds = true;
  core.addBroker('2');
  app.send('meta');
  core.clock.advance(20);
  core.broker().open[1]?.answer();
  core.pump();
  t.ok(app.isOpen);
  core.network.bindNow();
  await core.settle();
  t.notOk(app.isOpen);
  t.strictSame(core.released, ['protocol_error']);
  t.match(core.eventsOf('invariant.violated'), [{ detail: /doom/ }]);
  othersGoOn(t, core, other);
});

t.test('a fault of ours while a waiting client goes on closes that client and no other', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const broker = core.broker();
  broker.manual = true;
  const [holder, waiter] = [core.connect(), core.connect()];
  const first = holder.send('pool');
  waiter.send('pool');
  const [, session] = core.line.sessions;
  if (session === undefined) throw new Error('two clients have sessions');
  session.inspect = () => {
    throw new Error('a fault');
  };
  broker.open[0]?.answer();
  core.pump();
  t.strictSame(holder.ids, [first]);
  t.ok(holder.isOpen);
  t.ok(waiter.wasReset);
  t.equal(core.openTo(), 1, 'the connection of the other one is as it was');
  t.equal(core.eventsOf('invariant.violated').length, 1);
  t.strictSame(core.disconnected, ['protocol_error']);
});

t.test('a fault of ours in an answer that waited for listeners closes that connection and no other', async (t) => {
  const core = await startCore(t);
  const [other, app] = [core.connect(), core.connect()];
  core.broker().manual = true;
  other.send('hold');
  app.send('hold');
  core.broker().open[1]?.answer();
  core.pump();
  core.network.holdsBinds = true;
  core.addBroker('2');
  app.send('meta');
  const connection = core.broker().open.find(({ waiting }) => waiting[0]?.word === 'meta');
  connection?.answer();
  core.pump();
  const blocked = [...core.route.pools].flatMap((pool) => [...pool.open]).find(({ session }) => session.blocked);
  if (blocked === undefined) throw new Error('the answer waits for the listener of the new broker');
  blocked.session.resume = () => {
    throw new Error('a fault');
  };
  core.network.bindNow();
  await core.settle();
  t.notOk(app.isOpen);
  t.ok(other.isOpen);
  t.equal(core.eventsOf('invariant.violated').length, 1);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(other.answers.length, 1);
});
