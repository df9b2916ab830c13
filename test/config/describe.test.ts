import t from 'tap';
import { describeConfig, descriptionText } from '../../src/config/describe.ts';
import { parseConfig } from '../../src/config/load.ts';
import { GOOD } from './fault-cases.ts';

function described(text: string) {
  return describeConfig(parseConfig(text, 'config.yaml'));
}

t.test('a configuration is described in words', async (t) => {
  t.equal(
    descriptionText(described(`${GOOD}connectionMaxIdleSeconds: 5\nallowShortIdle: true\n`)),
    [
      'route orders (kafka)',
      '  applications connect to  127.0.0.1:9092',
      '  cluster                  broker-1:9092',
      '  brokers are served on    node N on 127.0.0.1:(29092 + N)',
      '  idle                     an upstream goes between 5 and 70 s after its last valid data',
      '  clients                  at most 10000; they stay open however idle',
      'admin   127.0.0.1:9901',
      'health  0.0.0.0:9902',
      'warning: route orders: an idle time of 5 s is meant for tests',
    ].join('\n'),
  );
});

t.test('the description says when an idle upstream goes', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'an upstream goes between 180 and 245 s after its last valid data'],
    [
      'connectionIdleDetectionIntervalSeconds: 10\n',
      'an upstream goes between 180 and 191 s after its last valid data',
    ],
    [
      'connectionIdleDetectionIntervalSeconds: 1\n',
      'an upstream goes between 180 and 181.1 s after its last valid data',
    ],
    ['connectionMaxIdleSeconds: 0\n', 'an upstream stays open until the broker closes it'],
    ['autoReleaseIdleConnectionsEnabled: false\n', 'an upstream stays open until the broker closes it'],
  ];
  for (const [keys, words] of cases) t.equal(described(GOOD + keys).routes[0]?.idle, words, keys);
});

t.test('the description says where brokers are served and what becomes of idle clients', async (t) => {
  const brokers = '{ portBase: 29092, ports: { 7: 30007 }, listenHost: "::1", advertisedHost: node.example }';
  const [route] = described(`${GOOD.replace('{ portBase: 29092 }', brokers)}clientMaxIdleSeconds: 60\n`).routes;
  t.equal(route?.brokers, 'node 7 on [::1]:30007, node N on [::1]:(29092 + N); applications are told node.example');
  t.equal(route?.clients, 'at most 10000; they are closed after 60 s idle');
  const tcp = described('routes: [{ name: a, protocol: tcp, listen: localhost:1, upstream: { bootstrap: [b:1] } }]\n');
  t.equal(tcp.routes[0]?.brokers, null);
  t.notMatch(descriptionText(tcp), 'brokers are served on');
});

t.test('what a configuration probably does not mean is a warning', async (t) => {
  const second = (keys: string) => `${GOOD}  - { name: b, protocol: kafka, listen: 127.0.0.1:9093, ${keys} }\n`;
  const cases: readonly (readonly [name: string, text: string, warnings: readonly RegExp[]])[] = [
    ['nothing odd', GOOD, []],
    [
      'no release',
      `${GOOD}connectionMaxIdleSeconds: 0\n`,
      [/route orders: idle broker connections are never released/],
    ],
    ['a detector that is off', `${GOOD}autoReleaseIdleConnectionsEnabled: false\n`, [/never released/]],
    ['above the ceiling', `${GOOD}idleCeilingSeconds: 200\nallowAboveCeiling: true\n`, [/at 200 s others may cut/]],
    [
      'an open route',
      GOOD.replace('127.0.0.1:9092', '10.0.0.5:9092'),
      [/whoever reaches 10.0.0.5 can use its brokers/],
    ],
    [
      'open brokers',
      GOOD.replace('29092', '29092, listenHost: 0.0.0.0, advertisedHost: a'),
      [/whoever reaches 0.0.0.0 can use its brokers/],
    ],
    [
      'a node on the port of the route',
      GOOD.replace('29092', '9091'),
      [/a node 1 would be served on 127.0.0.1:9092, which is taken by route orders/],
    ],
    [
      'a node on the port of the health listener',
      GOOD.replace('29092', '9900'),
      [/a node 1 .* taken by admin/, /a node 2 would be served on 127.0.0.1:9902, which is taken by health/],
    ],
    ['a node that nobody has', GOOD.replace('29092', '9000'), []],
    [
      'a node on the port of another node',
      GOOD.replace('29092', '29092, ports: { 5: 29093 }'),
      [/a node 1 would be served on 127.0.0.1:29093, which is taken by node 5 of route orders/],
    ],
    ['a node with its own port', GOOD.replace('29092', '29092, ports: { 5: 29097 }'), []],
    [
      'one base for two routes',
      second('upstream: { bootstrap: [b:1] }, brokers: { portBase: 29092 }'),
      [/routes orders and b: nodes with the same id would share a port; set brokers.portBase apart/],
    ],
    [
      'bases close to one another',
      second('upstream: { bootstrap: [b:1] }, brokers: { portBase: 29095 }'),
      [/routes orders and b: nodes whose ids differ by 3 would share a port/],
    ],
    [
      'bases on different addresses',
      second('upstream: { bootstrap: [b:1] }, brokers: { portBase: 29092, listenHost: 127.0.0.2, advertisedHost: a }'),
      [],
    ],
    ['bases far apart', second('upstream: { bootstrap: [b:1] }, brokers: { portBase: 30092 }'), []],
  ];
  for (const [name, text, expected] of cases) {
    const { warnings } = described(text);
    t.equal(warnings.length, expected.length, `${name}: ${warnings.join(' / ')}`);
    for (const [index, pattern] of expected.entries()) t.match(warnings[index], pattern, name);
  }
});
