/** What a `pulsar` route means, in words, and what is made of its keys. */
import t from 'tap';
import { describeConfig, descriptionText } from '../../src/config/describe.ts';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';

const PULSAR = `routes:
  - name: orders
    protocol: pulsar
    listen: 127.0.0.1:6650
    upstream: { bootstrap: [127.0.0.1:6651] }
`;

function config(upstream = '', ...own: readonly string[]) {
  const text = PULSAR.replace('6651]', `6651]${upstream}`) + own.map((line) => `    ${line}\n`).join('');
  return parseConfig(text, 'config.yaml');
}

function described(upstream = '', ...own: readonly string[]) {
  return describeConfig(config(upstream, ...own)).routes[0];
}

t.test('the smallest pulsar route is described in words', async (t) => {
  t.equal(
    descriptionText(describeConfig(config())),
    [
      'route orders (pulsar)',
      '  applications connect to  127.0.0.1:6650',
      '  cluster                  127.0.0.1:6651',
      '  brokers see              what each client shows, passed on in plaintext',
      '  clients show             what the brokers ask for, in plaintext',
      '  shared                   lookups and producers of clients that show the same; producers only with equal protocol version and features',
      '  pinned                   on a connection of its own: who consumes or reads (consumer), has transactions (transaction), watches topics (watcher), produces to non-persistent topics (non_persistent) or alone (exclusive_producer), or sends what is not known (unknown_api); and who sends what is large (bulk), until it is idle',
      '  refused                  a broker that neither a lookup nor upstream.allowedBrokers has named (broker_not_allowed)',
      '  idle                     an upstream goes between 180 and 245 s after its last valid data; its producers are parked',
      '  topics                   one without subscription is deleted by its broker 60 s (brokerDeleteInactiveTopicsFrequencySeconds) after its producers were parked, unless keepTopicsAlive is true or brokerDeleteInactiveTopicsEnabled=false',
      '  clients                  at most 10000; they stay open however idle',
      'admin   127.0.0.1:9901',
      'health  0.0.0.0:9902',
    ].join('\n'),
  );
});

t.test('the description says who the brokers see', async (t) => {
  const own = described(', tls: {}, auth: { method: token, tokenFile: /t }');
  t.equal(own?.brokersSee, 'whom its token names (token), over TLS');
  t.equal(own?.clientsShow, 'nothing, in plaintext');
  t.match(own?.shared, /^lookups and producers of all clients, as whom its token names \(token\)/);
  t.equal(
    described(', auth: { method: basic, username: app, passwordFile: p }')?.brokersSee,
    'app (basic), in plaintext',
  );
  const file = described(', auth: { method: basic, usernameFile: /u, passwordFile: p }');
  t.equal(file?.brokersSee, 'whom /u names (basic), in plaintext');
  const certificate = described('', 'listenTls: { certificateFile: c, keyFile: k, clientCaFile: a }');
  t.equal(certificate?.clientsShow, 'a certificate, and what the brokers ask for, over TLS');
});

t.test('the description says what becomes of topics whose producers are idle', async (t) => {
  const kept = described('', 'keepTopicsAlive: true');
  t.match(kept?.idle, /but stays while a producer is open$/);
  t.match(kept?.topics, /^keep their producers/);
  t.match(kept?.pinned, /connections of all producers, while they are open$/);
  t.match(described('', 'connectionMaxIdleSeconds: 0')?.topics, /^keep their producers/);
});

t.test('brokers have local ports where lookups are rewritten', async (t) => {
  t.equal(described()?.brokers, null);
  const brokers = 'brokers: { rewriteLookups: listeners, portBase: 30000, ports: { "b:6650": 30009 } }';
  t.equal(
    described('', brokers)?.brokers,
    'b:6650 on 127.0.0.1:30009, the Nth that is named, from 0, on 127.0.0.1:(30000 + N)',
  );
});

t.test('an open door of a pulsar route is a warning', async (t) => {
  const warnings = (upstream = '', ...own: readonly string[]) => describeConfig(config(upstream, ...own)).warnings;
  t.strictSame(warnings(), []);
  t.match(warnings(', allowedBrokers: ["*:6650"]'), [/any host \(allowedBrokers: \*:6650\)/]);
  t.match(warnings(', auth: { method: token, tokenFile: t }, dialTimeoutMilliseconds: 900'), []);
  const away = (text: string) => describeConfig(parseConfig(text, 'config.yaml')).warnings;
  t.strictSame(away(PULSAR.replace('[127.0.0.1:6651]', '[b:1]')), [], 'whether clients show anything is not known');
  t.match(away(PULSAR.replace('[127.0.0.1:6651]', '[b:1], auth: { method: token, tokenFile: t }')), [
    /^route orders: token without upstream.tls/,
  ]);
  t.match(away(PULSAR.replace('127.0.0.1:6650', '10.0.0.5:6650')), [
    /whoever reaches 10.0.0.5 can use its brokers, if those ask for nothing/,
    /clients may send tokens or passwords to 10.0.0.5 in plaintext/,
  ]);
  const open = PULSAR.replace('127.0.0.1:6650', '10.0.0.5:6650').replace(
    '6651]',
    '6651], auth: { method: token, tokenFile: t }',
  );
  t.match(away(open), [/whoever reaches 10.0.0.5 can use its brokers as the token identity of this route/]);
  t.match(warnings('', 'brokers: { rewriteLookups: listeners, portBase: 6640 }'), [
    /broker 10, from 0, would be served on 127.0.0.1:6650, which is taken by route orders/,
  ]);
});

t.test('service URLs and brokers by address are read as addresses', async (t) => {
  const text = PULSAR.replace('127.0.0.1:6651', '"pulsar+ssl://b-1:6651/", "[::1]:6652"').replace(' }', ', tls: {} }');
  const ports = '    brokers: { rewriteLookups: listeners, ports: { "b-1:6651": 1, "[::1]:2": 3 } }\n';
  const [route] = effectiveRoutes(parseConfig(text + ports, 'config.yaml'));
  t.strictSame(route?.upstream.bootstrap, [
    { host: 'b-1', port: 6651 },
    { host: '::1', port: 6652 },
  ]);
  t.strictSame(route?.brokers.ports, { 'b-1:6651': 1, '[::1]:2': 3 });
  t.equal(route?.rewritesLookups, true);
});

t.test('a route that leads to itself by a service URL is a fault', async (t) => {
  const text = PULSAR.replace('127.0.0.1:6651', '"pulsar://127.0.0.1:6650"');
  t.throws(() => parseConfig(text, 'config.yaml'), { message: /is where this route itself listens/ });
});
