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
      '  brokers see              nobody in particular, in plaintext',
      '  clients show             nothing, in plaintext',
      '  shared                   all clients share broker connections as nobody in particular',
      '  pinned                   who sends with acks=0, while it does (acks_zero); share groups (share_session) and whoever sends what is not known (unknown_api), until they close',
      '  refused                  SASL, for which the route asks nobody, and requests that only brokers send to each other',
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

/** A route with further keys of its upstream, and of its own. */
function route(upstream: string, own = '') {
  const text = GOOD.replace('[broker-1:9092]', `[broker-1:9092]${upstream}`) + own;
  return described(text).routes[0];
}

t.test('the description says who is somebody, and what that means for sharing', async (t) => {
  const sasl = ', sasl: { mechanism: SCRAM-SHA-512, username: app, passwordFile: p }';
  const own = route(`, tls: {}${sasl}`);
  t.equal(own?.brokersSee, 'app (SCRAM-SHA-512), over TLS');
  t.equal(own?.shared, 'all clients share broker connections as app (SCRAM-SHA-512)');
  t.match(own?.refused, /^SASL/);

  const users = route(sasl, '    listenSasl: { credentialsFile: u, mechanisms: [PLAIN] }\n');
  t.equal(users?.brokersSee, 'each user as its own sasl says, else app (SCRAM-SHA-512), in plaintext');
  t.equal(users?.clientsShow, 'user and password (PLAIN), in plaintext');
  t.equal(users?.shared, 'the clients of one user share broker connections; two users never do');
  t.match(users?.refused, /^who does not authenticate/);

  const through = route(', saslPassThrough: true');
  t.equal(through?.brokersSee, 'whom each client authenticates as, in plaintext');
  t.match(
    through?.shared,
    /^nothing: every client keeps a broker connection of its own .* clientMaxIdleSeconds, which is/,
  );
  t.match(through?.pinned, /^every client/);
  t.equal(through?.idle, 'an upstream goes with its client');
  t.match(route(', saslPassThrough: true', '    clientMaxIdleSeconds: 60\n')?.shared, 'closed after 60 s idle');
});

t.test('the description says what clients must show', async (t) => {
  const tls = (keys: string) => `    listenTls: { certificateFile: c, keyFile: k${keys} }\n`;
  const users = (mechanisms: string) => `    listenSasl: { credentialsFile: u, mechanisms: ${mechanisms} }\n`;
  const cases: readonly (readonly [string, string])[] = [
    [tls(''), 'nothing, over TLS'],
    [tls(', clientCaFile: a'), 'a certificate, over TLS'],
    [tls(', clientCaFile: a') + users('[PLAIN]'), 'a certificate and user and password (PLAIN), over TLS'],
    [tls(', clientCaFile: a, subjectIsUser: true') + users('[]'), 'a certificate that names their user, over TLS'],
    [
      tls(', clientCaFile: a, subjectIsUser: true') + users('[PLAIN]'),
      'a certificate that names their user, or user and password (PLAIN), over TLS',
    ],
  ];
  for (const [keys, words] of cases) t.equal(route('', keys)?.clientsShow, words, keys);
});

t.test('the description names an identity that no user name tells', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['tls: { certificateFile: /c, keyFile: /k }', 'whom the certificate in /c names, over TLS'],
    ['sasl: { mechanism: PLAIN, usernameFile: /u, passwordFile: p }', 'whom /u names (PLAIN), in plaintext'],
    ['sasl: { mechanism: OAUTHBEARER, tokenFile: t }', 'whom its token names (OAUTHBEARER), in plaintext'],
    ['sasl: { mechanism: AWS_MSK_IAM, region: r }', 'an AWS identity (AWS_MSK_IAM), in plaintext'],
    ['sasl: { mechanism: AWS_MSK_IAM, region: r, roleArn: a }', 'a (AWS_MSK_IAM), in plaintext'],
  ];
  for (const [keys, words] of cases) t.equal(route(`, ${keys}`)?.brokersSee, words, keys);
});

t.test('an open door is a warning', async (t) => {
  const open = (text: string) => text.replace('127.0.0.1:9092', '10.0.0.5:9092');
  const from = (upstream: string, own = '') => GOOD.replace('[broker-1:9092]', `[broker-1:9092], ${upstream}`) + own;
  const users = '    listenSasl: { credentialsFile: u }\n';
  const cases: readonly (readonly [name: string, text: string, warnings: readonly RegExp[]])[] = [
    ['SCRAM', from('sasl: { mechanism: SCRAM-SHA-256, username: a, passwordFile: p }'), []],
    [
      'PLAIN',
      from('sasl: { mechanism: PLAIN, username: a, passwordFile: p }'),
      [/PLAIN without upstream.tls: whoever/],
    ],
    ['a token', from('sasl: { mechanism: OAUTHBEARER, tokenFile: t }'), [/OAUTHBEARER without upstream.tls/]],
    ['PLAIN over TLS', from('tls: {}, sasl: { mechanism: PLAIN, username: a, passwordFile: p }'), []],
    [
      'PLAIN to a broker on this host',
      from('sasl: { mechanism: PLAIN, username: a, passwordFile: p }').replace('broker-1:9092', 'localhost:1'),
      [],
    ],
    [
      'PLAIN to brokers of which one is on this host',
      from('sasl: { mechanism: PLAIN, username: a, passwordFile: p }').replace('[broker-1', '[localhost:1, broker-1'),
      [/PLAIN without upstream.tls/],
    ],
    [
      'no verification',
      from('tls: { rejectUnauthorized: false, insecureSkipVerify: true }'),
      [/insecureSkipVerify is on: whoever answers is taken for a broker/],
    ],
    [
      'an identity for everybody',
      open(from('tls: {}, sasl: { mechanism: PLAIN, username: app, passwordFile: p }')),
      [/whoever reaches 10.0.0.5 can use its brokers as app/],
    ],
    ['passwords in plaintext', open(from('tls: {}', users)), [/clients may send passwords to 10.0.0.5 in plaintext/]],
    ['SCRAM in plaintext', open(from('tls: {}', users.replace(' }', ', mechanisms: [SCRAM-SHA-256] }'))), []],
    ['passwords on loopback', from('tls: {}', users), []],
    ['passwords over TLS', open(from('tls: {}', `${users}    listenTls: { certificateFile: c, keyFile: k }\n`)), []],
    ['pass-through', from('saslPassThrough: true'), [/without stateFile the local ports of its brokers stay closed/]],
    ['pass-through with a state', from('saslPassThrough: true', '    stateFile: s\n'), []],
    [
      'an admin token',
      `${GOOD}admin: { listen: 10.0.0.5:9901, tokenFile: t }\n`,
      [/admin: its token is sent to 10.0.0.5/],
    ],
  ];
  for (const [name, text, expected] of cases) {
    const { warnings } = described(text);
    t.equal(warnings.length, expected.length, `${name}: ${warnings.join(' / ')}`);
    for (const [index, pattern] of expected.entries()) t.match(warnings[index], pattern, name);
  }
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
