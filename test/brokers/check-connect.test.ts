/** `check --connect` with real brokers: it says what they are, and what they refuse. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { invoke } from '../cli/invoke.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { USERS } from './security.ts';
import { KAFKA_CURRENT } from './versions.ts';

const SESSION_SECONDS = 60;
const security = { tls: true, sasl: true, reauthMilliseconds: SESSION_SECONDS * 1000 } as const;
const cluster = await KafkaCluster.start({ version: KAFKA_CURRENT, brokers: 1, security });
t.teardown(() => cluster.stop());
const { caFile } = cluster.certificates.authority;
const folder = mkdtempSync(join(tmpdir(), 'slackwater-check-'));
t.teardown(() => rmSync(folder, { recursive: true }));

async function check(upstream: Readonly<Record<string, unknown>>, listener: 'DIRECT' | 'DIRECT_CLEAR' = 'DIRECT') {
  const bootstrap = cluster.bootstrap(listener).split(',');
  const route = { name: 'real', protocol: 'kafka', listen: '127.0.0.1:9092', brokers: { portBase: 29_092 } };
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify({ routes: [{ ...route, upstream: { bootstrap, ...upstream } }] }));
  return await invoke('check', '--connect', '-c', file);
}

const as = (mechanism: string, password: string = USERS.alice) => ({ mechanism, username: 'alice', password });

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
  await t.test(`a real broker is convinced by ${mechanism}, over TLS and without`, async (t) => {
    for (const listener of ['DIRECT', 'DIRECT_CLEAR'] as const) {
      const tls = listener === 'DIRECT' ? { tls: { caFile } } : {};
      const { code, out } = await check({ ...tls, sasl: as(mechanism) }, listener);
      t.equal(code, 0, out);
      t.match(out, `sasl     authenticated as alice (${mechanism}), for ${SESSION_SECONDS} s at a time`);
      t.match(out, `cluster  ${cluster.clusterId}, 1 broker: 1 at `);
      t.match(out, /serves {3}Produce \d+ to 13 \(known up to 13\)/);
      t.equal(/tls {6}TLSv1\.3, certificate of /.test(out), listener === 'DIRECT', out);
    }
  });
}

await t.test('what a real broker refuses is told with its cause', async (t) => {
  const stranger = await cluster.certificates.found('stranger');
  const cases: readonly (readonly [upstream: Readonly<Record<string, unknown>>, reason: RegExp])[] = [
    [{ tls: { caFile }, sasl: as('SCRAM-SHA-512', 'wrong') }, /authentication_failed: /],
    [{ tls: { caFile }, sasl: as('PLAIN', 'wrong') }, /authentication_failed: /],
    [{ tls: { caFile: stranger.caFile }, sasl: as('PLAIN') }, /tls_untrusted: /],
    [{ sasl: as('PLAIN') }, /tls_failed: the broker speaks TLS on this port/],
    [{ tls: { caFile } }, /closed: /],
  ];
  for (const [upstream, reason] of cases) {
    const { code, out } = await check(upstream);
    t.equal(code, 1, out);
    t.match(out, new RegExp(`because  ${reason.source}`));
  }
  const plain = await check({ tls: { caFile }, sasl: as('PLAIN') }, 'DIRECT_CLEAR');
  t.equal(plain.code, 1);
  t.match(plain.out, /because {2}(tls_failed|closed|timeout): /);
});

await t.test('a real broker is asked for its versions alone where clients authenticate themselves', async (t) => {
  const { code, out } = await check({ tls: { caFile }, saslPassThrough: true });
  t.equal(code, 0, out);
  t.match(out, /serves {3}Produce/);
  t.notMatch(out, cluster.clusterId);
});
