/** Dials: one for many, when they fail, and where they go. */
import t from 'tap';
import { DIAL_FAILURES, type DialFailure } from '../../src/contract/reasons.ts';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { dialFailureOf } from '../../src/core/dial-failure.ts';
import { CoreFixture, startCore } from '../support/core-fixture.ts';
import { watchDials } from '../support/dial-times.ts';

t.test('one dial serves all who wait for a pool that is asleep', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  const apps = Array.from({ length: 50 }, () => core.connect());
  for (const app of apps) app.send('pool');
  t.equal(core.network.dials.length, 1);
  core.clock.advance(9);
  core.broker().open[0]?.answer();
  core.pump();
  for (const app of apps) t.equal(app.answers.length, 1);
  t.equal(core.network.dials.length, 1);
  t.match(core.eventsOf('pool.awake'), [{ broker: '1', clients: 50, dialSeconds: 0.009 }]);
});

t.test('a pool that wakes up tells how long its clients had to wait', async (t) => {
  const core = await startCore(t);
  core.broker().greets = false;
  core.connect().send('pool');
  core.clock.advance(40);
  core.broker().greets = true;
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(core.route.resumeSeconds.count, 1);
  t.ok(Math.abs(core.route.resumeSeconds.sum - 0.04) < 0.001);
  core.broker().manual = true;
  core.connect().send('pool');
  const waiting = core.connect().send('pool');
  core.clock.advance(20);
  t.ok(core.broker().ids.includes(waiting));
  t.equal(core.route.resumeSeconds.count, 1, 'one that found it awake and waited is none');
});

for (const [what, silence] of [
  ['the network is silent', true],
  ['the broker does not answer the greeting', false],
] as const) {
  t.test(`when ${what} a dial is given up after dialTimeoutMilliseconds`, async (t) => {
    const core = await startCore(t);
    if (silence) core.network.silence(core.broker().address);
    else core.broker().greets = false;
    const app = core.connect();
    app.send('pool');
    core.clock.advance(2999);
    t.ok(app.isOpen);
    core.clock.advance(2);
    t.match(core.eventsOf('upstream.dial_failed'), [{ reason: 'timeout', broker: '1', address: 'broker-1:9092' }]);
    t.ok(app.wasReset);
  });
}

/** The system's code, or how the broker behaves, and what it is called. */
const FAILURES: readonly (readonly [code: string, failure: DialFailure])[] = [
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'closed'],
  ['EPIPE', 'closed'],
  ['ETIMEDOUT', 'timeout'],
  ['ENOTFOUND', 'unresolvable'],
  ['EAI_AGAIN', 'unresolvable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['ESOMETHING', 'closed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_untrusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_name_mismatch'],
  ['CERT_HAS_EXPIRED', 'tls_expired'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_failed'],
];

/** What only a protocol, or the source of a credential, can tell. */
const TOLD: readonly DialFailure[] = [
  'rejected',
  'authentication_failed',
  'mechanism_unsupported',
  'credential_unavailable',
];

for (const [code, failure] of FAILURES) {
  t.test(`a dial that ends with ${code} is told as ${failure}`, async (t) => {
    const core = await startCore(t);
    core.network.refuse(core.broker().address, code);
    core.connect().send('pool');
    t.match(core.eventsOf('upstream.dial_failed'), [{ reason: failure, detail: code }]);
  });
}

t.test('a broker of another cluster, or one that turns us away, is told as rejected', async (t) => {
  t.equal(dialFailureOf('cluster_changed', 'another cluster'), 'rejected');
  t.equal(dialFailureOf('dial_failed', 'the credential is refused'), 'rejected');
  const told = new Set([...FAILURES.map(([, failure]) => failure), ...TOLD]);
  t.strictSame([...told].sort(), [...DIAL_FAILURES].sort(), 'every failure has its case');
});

for (const how of ['close', 'rst'] as const) {
  t.test(`a broker that ends the connection instead of a greeting (${how}) has failed the dial`, async (t) => {
    const core = await startCore(t);
    core.network.serve(core.broker().address, (peer) => peer[how]());
    const app = core.connect();
    app.send('pool');
    t.match(core.eventsOf('upstream.dial_failed'), [{ reason: 'closed' }]);
    t.ok(app.wasReset);
    t.strictSame(core.released, [], 'it was never open');
  });
}

t.test('the bootstrap addresses are tried in turn, each once, before there is a pause', async (t) => {
  const core = new CoreFixture({
    upstream: { bootstrap: ['one', 'two', 'three'].map((host) => ({ host, port: 9092 })) },
  });
  t.teardown(() => core.route.stop());
  const dials = watchDials(core);
  await core.route.start();
  await core.settle();
  t.strictSame(
    dials.map(({ address }) => address),
    ['one:9092', 'two:9092', 'three:9092'],
  );
  core.clock.advance(49);
  t.equal(dials.length, 3);
  core.clock.advance(2);
  t.equal(dials.length, 6, 'then all of them again');
});

t.test('without a bootstrap address that answers, the dials never end', async (t) => {
  const core = new CoreFixture();
  t.teardown(() => core.route.stop());
  core.broker().stop();
  const dials = watchDials(core);
  await core.route.start();
  await core.settle();
  core.pass(3600);
  t.notOk(core.route.learnt);
  t.ok(dials.length > 400, `${dials.length} dials in an hour`);
  core.broker().start();
  core.pass(11);
  t.ok(core.route.learnt);
});

t.test('an advertised address is dialled where dialAddresses says', async (t) => {
  const core = await startCore(t, {
    upstream: { dialAddresses: { 'broker-1:9092': { host: '10.0.0.7', port: 19_092 } } },
  });
  core.network.serve('10.0.0.7:19092', (peer) => core.broker().accept(peer));
  core.network.dials.length = 0;
  core.pass(11);
  const app = core.connect(BOOTSTRAP);
  app.send('pool');
  t.equal(app.answers.length, 1);
  t.strictSame([...new Set(core.network.dials)], ['10.0.0.7:19092']);
  t.match(core.eventsOf('upstream.connected').at(-1), { address: 'broker-1:9092' }, 'and is told as advertised');
});
