/**
 * Identities that change while everybody works: sessions that end (KIP-368), tokens that expire, and every file of an
 * identity replaced by a symlink swap. Nobody notices.
 */

import { once } from 'node:events';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import type { Authority } from './certificates.ts';
import { as, upstreamSasl } from './identities.ts';
import { flawless, percentile } from './ledger.ts';
import { contentOf, MountedFiles } from './mounted-files.ts';
import { IN_USE_WITHIN_SECONDS, RotatingIdentity, takeOver, untilTold, upstreamIds } from './scenarios/rotation.ts';
import { SteadyLoad, type SteadyLoadReport } from './scenarios/steady-load.ts';
import { USERS } from './security.ts';
import { realKafka } from './setting.ts';
import { Sidecar } from './sidecar.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { until } from './until.ts';
import { KAFKA_CURRENT } from './versions.ts';
import { Way } from './way.ts';

const LIFETIME_SECONDS = 10;
/** At least so long everybody works; sessions end at least twice meanwhile. */
const LOAD_SECONDS = 30;
/** How clients end connections themselves: librdkafka drops that to its bootstrap address, read to the end or not. */
const OWN_ENDS: ReadonlySet<string> = new Set(['client_closed', 'client_reset']);
const SESSIONS = 'sessions';
const TOKENS = 'tokens';
const THROUGH = 'through';
const ROTATING = 'rotating';

const { cluster, judge } = await realKafka(t, {
  version: KAFKA_CURRENT,
  brokers: 1,
  security: { tls: 'mutual', sasl: true },
  properties: { 'listener.name.hidden_clear.scram-sha-256.connections.max.reauth.ms': LIFETIME_SECONDS * 1000 },
});
const { authority } = cluster.certificates;
const identity = await RotatingIdentity.make(cluster, judge);
t.teardown(() => identity.files.remove());
const constant = new MountedFiles({ password: USERS.bob });
t.teardown(() => constant.remove());
const endpoint = await TokenEndpoint.open('alice', 'endpoint-secret', LIFETIME_SECONDS);
t.teardown(() => endpoint.close());

const sidecar = await Sidecar.start(
  cluster,
  {},
  {
    routes: [
      { name: SESSIONS, listener: 'HIDDEN_CLEAR', upstream: { sasl: upstreamSasl('bob', 'SCRAM-SHA-256', constant) } },
      {
        name: TOKENS,
        listener: 'HIDDEN_CLEAR',
        upstream: {
          sasl: {
            mechanism: 'OAUTHBEARER',
            tokenEndpoint: { url: endpoint.url, clientId: 'alice', clientSecret: 'endpoint-secret' },
          },
        },
      },
      {
        name: THROUGH,
        listener: 'HIDDEN_CLEAR',
        upstream: { saslPassThrough: true },
      },
      identity.route(ROTATING),
    ],
  },
);
t.teardown(() => sidecar.stop());

const lasting = new SteadyLoad(
  judge,
  [
    Way.routed(sidecar, {}, SESSIONS),
    Way.routed(sidecar, {}, TOKENS),
    Way.routed(sidecar, { sasl: as('bob', 'SCRAM-SHA-256') }, THROUGH),
  ],
  { prefix: 'lasting', kinds: { librdkafka: 6, java: 6 }, everyMilliseconds: 100 },
);
t.teardown(() => lasting.stop());
const rotating = new SteadyLoad(judge, [Way.routed(sidecar, { caFile: authority.caFile }, ROTATING)], {
  prefix: 'rotating',
  kinds: { librdkafka: 4, java: 2, kafkajs: 2 },
  everyMilliseconds: 50,
});
t.teardown(() => rotating.stop());
await Promise.all([lasting.start(), rotating.start()]);
const begun = performance.now();

async function takesOver(t: Test, replace: () => unknown): Promise<void> {
  const told = rotating.complaints().length;
  const { before, inUseSeconds, goneSeconds } = await takeOver(sidecar, ROTATING, replace);
  t.ok(before > 0, `${before} connections before`);
  t.ok(inUseSeconds < IN_USE_WITHIN_SECONDS, `in use after ${inUseSeconds.toFixed(1)} s`);
  t.comment(`the connections before were gone after ${goneSeconds.toFixed(1)} s`);
  t.strictSame(rotating.complaints().slice(told), [], 'no client logs a warning');
}

await t.test('another password is in use within seconds', (t) => takesOver(t, () => identity.password()));

await t.test('another client certificate and key are in use within seconds', (t) =>
  takesOver(t, () => identity.clientCertificate()),
);

await t.test('another authority is believed within seconds, and then no longer the one before', async (t) => {
  let second: Authority | undefined;
  await takesOver(t, async () => {
    second = await identity.secondAuthority();
  });
  await takesOver(t, () => identity.authority(second ?? authority));
});

await t.test('a wrong password is told, and the connections of the right one go on serving', async (t) => {
  const before = rotating.complaints().length;
  const old = await upstreamIds(sidecar, ROTATING);
  await untilTold(sidecar, ROTATING, 'refused', () => identity.wrongPassword());
  const kept = [...(await upstreamIds(sidecar, ROTATING))].filter((id) => old.has(id));
  t.ok(kept.length > 0, `${kept.length} connections go on`);
  const told = sidecar
    .entries(ROTATING)
    .filter(({ event, change }) => event === 'identity.changed' && change === 'refused');
  t.equal(told.length, 1, 'one line');
  t.match(told[0], { route: ROTATING, remedy: /file/ });
  identity.rightPassword();
  t.strictSame(rotating.complaints().slice(before), [], 'no client logs a warning');
});

await t.test('a file that is no certificate is told, and changes nothing', async (t) => {
  const old = await upstreamIds(sidecar, ROTATING);
  await untilTold(sidecar, ROTATING, 'unreadable', () => identity.noAuthority());
  identity.theAuthority();
  t.ok(
    [...(await upstreamIds(sidecar, ROTATING))].some((id) => old.has(id)),
    'connections go on',
  );
});

await t.test('the listener shows its new certificate to whoever comes, and keeps whoever is there', async (t) => {
  const [host, port] = sidecar.bootstrapOf(ROTATING).split(':');
  const shown = async () => {
    const socket = connect({ host, port: Number(port), ca: contentOf(authority.caFile) });
    try {
      // What follows the handshake with TLS 1.3: by then the listener has seen the end of it too.
      await once(socket, 'session');
      return socket.getPeerCertificate().fingerprint256;
    } finally {
      socket.destroy();
    }
  };
  const told = rotating.complaints().length;
  const before = await shown();
  await identity.serverCertificate();
  await until('the new certificate to be shown', 5_000, async () =>
    (await shown()) === before ? 'the old one' : true,
  );
  t.strictSame(rotating.complaints().slice(told), [], 'no client logs a warning');
});

function unnoticed(t: Test, what: string, report: SteadyLoadReport): void {
  t.strictSame(report.failures, [], `${what}: no request failed`);
  t.strictSame(report.verdict, flawless(report.sent), `${what}: ${report.sent} messages, once and in order`);
  for (const [name, counts] of Object.entries(report.taken)) {
    t.strictSame(counts, { taken: report.sent, repeated: 0 }, `${name} takes all`);
  }
  t.strictSame(report.complaints, [], `${what}: no client logs a warning`);
  t.comment(`${what}: p50 ${percentile(report.latencies, 0.5)} ms, p99 ${percentile(report.latencies, 0.99)} ms`);
}

await t.test('nobody noticed any of it', async (t) => unnoticed(t, 'rotation', await rotating.finish()));

await t.test('nobody noticed that sessions ended and tokens expired', async (t) => {
  const seconds = () => (performance.now() - begun) / 1000;
  await until(`everybody to have worked for ${LOAD_SECONDS} s`, LOAD_SECONDS * 1000 + 1_000, () =>
    seconds() >= LOAD_SECONDS ? true : `${seconds()} s`,
  );
  const ended = await sidecar.metric('upstream_connections_closed_total', {
    route: SESSIONS,
    reason: 'session_expired',
  });
  const tokens = await sidecar.metric('upstream_connections_closed_total', {
    route: TOKENS,
    reason: 'session_expired',
  });
  const worked = seconds();
  unnoticed(t, 'sessions', await lasting.finish());
  const rounds = Math.floor(worked / LIFETIME_SECONDS);
  t.ok(ended >= rounds, `${ended} sessions ended in ${worked} s`);
  t.comment(`${tokens} connections ended with their tokens, ${endpoint.granted} tokens were granted`);
  t.ok(endpoint.granted >= rounds, `${endpoint.granted} tokens were granted`);
  const { expired, failedAuthentications } = await cluster.figures('HIDDEN_CLEAR');
  t.equal(expired, 0, 'no request came on a connection whose time was over');
  t.equal(failedAuthentications, 0);
});

await t.test('no client was closed, and the sidecar broke no rule of its own', async (t) => {
  for (const route of [SESSIONS, TOKENS, ROTATING]) {
    const closed = (await sidecar.metrics()).filter(
      ({ name, labels, value }) =>
        name === 'slackwater_client_connections_closed_total' && labels.route === route && value > 0,
    );
    t.strictSame(
      closed.filter(({ labels }) => !OWN_ENDS.has(labels.reason ?? '')),
      [],
      route,
    );
  }
  t.equal(await sidecar.metric('invariant_violations_total'), 0);
});
