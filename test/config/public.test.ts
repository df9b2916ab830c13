import t from 'tap';
import { stringify } from 'yaml';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';
import { publicConfig } from '../../src/config/public.ts';
import { exampleYaml } from '../support/config-docs.ts';
import { GOOD } from './fault-cases.ts';

const FILES: Readonly<Record<string, string>> = {
  smallest: GOOD,
  example: exampleYaml(),
  mixed: `${GOOD.replace('[broker-1:9092]', '[b:1, "[::1]:2"], dialAddresses: { "[::1]:3": c:4 }')}    maxClients: 3
    pool: { maxWaiters: 5 }
  - { name: b, protocol: tcp, listen: localhost:1, upstream: { bootstrap: [b:1] }, limits: { clientStallSeconds: 2 } }
  - { name: c, protocol: kafka, listen: "[::1]:0", upstream: { bootstrap: [b:1] }, brokers: { ports: { 1: 2 } } }
log: { level: debug }
`,
  pulsar: `routes:
  - { name: a, protocol: pulsar, listen: localhost:1, upstream: { bootstrap: ["pulsar://b:1", "c:2"] } }
  - name: b
    protocol: pulsar
    listen: localhost:2
    upstream: { bootstrap: ["pulsar+ssl://b:1/"], tls: {}, allowedBrokers: ["*:1"], dialAddresses: { b:1: c:2 } }
    brokers: { rewriteLookups: listeners, portBase: 30000, ports: { "B.:1": 30001, "[::1]:2": 30002 } }
    keepTopicsAlive: true
  - { name: c, protocol: pulsar, listen: localhost:3, upstream: { bootstrap: [b:1], auth: { method: token, tokenFile: t } } }
`,
};

t.test('the public configuration, read as a file, means the same', async (t) => {
  for (const [name, text] of Object.entries(FILES)) {
    const config = parseConfig(text, 'config.yaml');
    const again = parseConfig(stringify(publicConfig(config)), 'public.yaml');
    t.strictSame(effectiveRoutes(again), effectiveRoutes(config), name);
    t.strictSame({ ...again, routes: [] }, { ...config, routes: [] }, name);
  }
});

t.test('the public configuration is plain JSON with every default and override filled in', async (t) => {
  const shown = publicConfig(parseConfig(FILES.mixed ?? '', 'config.yaml'));
  t.strictSame(JSON.parse(JSON.stringify(shown)), shown);
  t.match(shown.routes[0], {
    maxClients: 3,
    connectionMaxIdleSeconds: 180,
    pool: { maxWaiters: 5, maxWaitMilliseconds: 5000 },
  });
  t.strictSame(shown.routes[0]?.upstream, {
    bootstrap: ['b:1', '[::1]:2'],
    dialAddresses: { '[::1]:3': 'c:4' },
    saslPassThrough: false,
    dialTimeoutMilliseconds: 3000,
  });
  t.notOk('brokers' in (shown.routes[1] ?? {}), 'a tcp route has no brokers');
});
