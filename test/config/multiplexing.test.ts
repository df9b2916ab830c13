import t from 'tap';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';
import { multiplexingOf, passesOnCredentials } from '../../src/config/multiplexing.ts';

function route(upstream: string, ...own: readonly string[]) {
  const head = [
    'routes:',
    '  - name: a',
    '    protocol: pulsar',
    '    listen: localhost:1',
    `    upstream: { ${upstream} }`,
  ];
  const [only] = effectiveRoutes(parseConfig([...head, ...own.map((line) => `    ${line}`), ''].join('\n'), 'a.yaml'));
  if (only === undefined) throw new Error('one route was written');
  return only;
}

t.test('a route without upstream.auth passes on what its clients show', async (t) => {
  t.ok(passesOnCredentials(route('bootstrap: [b:1]')));
  t.notOk(passesOnCredentials(route('bootstrap: [b:1], auth: { method: token, tokenFile: t }')));
});

t.test('the configuration says which brokers there are, and how clients reach them', async (t) => {
  const plain = multiplexingOf(route('bootstrap: [b:1]'), null);
  t.match(plain, { wholeFrameBytes: 65_536, passed: null, isUpstreamSecured: false });
  t.match(plain, { rewritesLookups: false, keepsTopicsAlive: false });
  t.ok(plain.isAllowedBroker('b', 1), 'what is configured is no stranger');
  t.notOk(plain.isAllowedBroker('c', 1));
  const brokers = 'brokers: { rewriteLookups: listeners, portBase: 30000 }';
  const other = route(
    'bootstrap: ["pulsar+ssl://b:1"], tls: {}, allowedBrokers: ["*.a:2"]',
    brokers,
    'keepTopicsAlive: true',
  );
  t.match(multiplexingOf(other, null), { isUpstreamSecured: true, rewritesLookups: true, keepsTopicsAlive: true });
  t.ok(multiplexingOf(other, null).isAllowedBroker('c.a', 2));
});
