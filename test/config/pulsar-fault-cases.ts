/** What must be said about wrong keys of a `pulsar` route, and about its keys on other routes. */
import type { FaultCase } from './fault-cases.ts';

/** One route, with further keys of its `upstream` on line 5 and of the route itself from line 6 on. */
function file(upstream: string, ...route: readonly string[]): string {
  return [
    'routes:',
    '  - name: orders',
    '    protocol: pulsar',
    '    listen: 127.0.0.1:6650',
    `    upstream: { ${upstream} }`,
    ...route.map((line) => `    ${line}`),
    '',
  ].join('\n');
}

function auth(keys: string, ...faults: readonly string[]): Pick<FaultCase, 'text' | 'faults'> {
  return {
    text: file(`bootstrap: [b:1], auth: { ${keys} }`),
    faults: faults.map((fault) => fault.replace('@', 'routes[0].upstream.auth')),
  };
}

const PORTS = 'brokers have local ports only with rewriteLookups: listeners: remove this key, or set that';

export const PULSAR_FAULT_CASES: readonly FaultCase[] = [
  {
    name: 'SASL on a pulsar route',
    text: file('bootstrap: [b:1], sasl: { mechanism: PLAIN, username: a, password: planted }'),
    faults: [
      '5:35 routes[0].upstream.sasl: a pulsar route has upstream.auth in its place: method basic for PLAIN, method token …',
    ],
  },
  {
    name: 'SASL on a pulsar route, with a mechanism that there is not',
    text: file('bootstrap: [b:1], sasl: { mechanism: SCRAM-SHA-1, username: a, password: planted }'),
    faults: [
      '5:35 routes[0].upstream.sasl: a pulsar route has upstream.auth in its place: …',
      '5:54 routes[0].upstream.sasl.mechanism: must be one of PLAIN, …',
    ],
  },
  {
    name: 'pass-through on a pulsar route',
    text: file('bootstrap: [b:1], saslPassThrough: true'),
    faults: [
      '5:35 routes[0].upstream.saslPassThrough: without upstream.auth a pulsar route passes on what clients show, …',
    ],
  },
  {
    name: 'users, subjects and a state file on a pulsar route',
    text: file(
      'bootstrap: [b:1]',
      'listenSasl: { credentialsFile: u }',
      'listenTls: { certificateFile: c, keyFile: k, clientCaFile: a, subjectIsUser: true }',
      'stateFile: s',
    ),
    faults: [
      '6:5 routes[0].listenSasl: Pulsar clients have no SASL for the sidecar: remove this key; listenTls.clientCaFile …',
      '7:67 routes[0].listenTls.subjectIsUser: a certificate names a user of listenSasl, which a pulsar route does not …',
      '8:5 routes[0].stateFile: Pulsar clients look their brokers up again after a restart: remove this key',
    ],
  },
  {
    name: 'a method that there is not',
    ...auth('method: oauth2, token: planted', '5:51 @.method: must be one of token, basic, not "oauth2"'),
  },
  {
    name: 'a token without a token',
    ...auth('method: token', '5:35 @: token needs tokenFile or token or tokenEndpoint'),
  },
  {
    name: 'a token with a password',
    ...auth(
      'method: token, tokenFile: t, password: planted',
      '5:72 @.password: token has no use for it: remove it; its keys are tokenFile, token, tokenEndpoint',
    ),
  },
  {
    name: 'a user name with a colon',
    ...auth(
      'method: basic, username: "a:b", password: planted',
      '5:68 @.username: must hold no colon: brokers read the password behind the first one',
    ),
  },
  {
    name: 'a token endpoint without its secret',
    ...auth(
      'method: token, tokenEndpoint: { url: https://idp, clientId: a }',
      '5:58 @.tokenEndpoint: the client credentials grant needs clientSecretFile or clientSecret',
    ),
  },
  {
    name: 'a service URL over TLS without keys of TLS, and the other way round',
    text: `${file('bootstrap: ["pulsar+ssl://b:6651"]')}${file('bootstrap: ["pulsar://b:6650"], tls: {}')
      .replace('routes:\n', '')
      .replace('orders', 'bills')
      .replace('6650\n', '6652\n')}`,
    faults: [
      '5:29 routes[0].upstream.bootstrap[0]: pulsar+ssl:// means TLS: set upstream.tls, {} for the authorities of the system',
      '9:29 routes[1].upstream.bootstrap[0]: pulsar:// means plaintext, but there is upstream.tls: write pulsar+ssl://, …',
    ],
  },
  {
    name: 'a service URL with several brokers, one without a port, and an HTTP URL',
    text: file('bootstrap: ["pulsar://a:1,b:2", "pulsar://a", "http://a:8080"]'),
    faults: [
      '5:29 routes[0].upstream.bootstrap[0]: must be one broker: give each an entry of its own, not "pulsar://a:1,b:2"',
      '5:49 routes[0].upstream.bootstrap[1]: must be pulsar://host:port, such as pulsar://broker-1:6650, not "pulsar://a"',
      '5:63 routes[0].upstream.bootstrap[2]: must be host:port, such as broker-1:9092, or on a pulsar route pulsar://broker-1:6650, not "http://a:8080"',
    ],
  },
  {
    name: 'a service URL on a kafka route',
    text: file('bootstrap: ["pulsar://b:1"]', 'brokers: { portBase: 29092 }').replace(
      'protocol: pulsar',
      'protocol: kafka',
    ),
    faults: [
      '5:29 routes[0].upstream.bootstrap[0]: a kafka route has no service URLs: write host:port, without a scheme',
    ],
  },
  {
    name: "a pulsar route's keys on a kafka route",
    text: file(
      'bootstrap: [b:1], auth: { method: token, tokenFile: t }, allowedBrokers: ["*:1"]',
      'brokers: { portBase: 29092, rewriteLookups: proxy, ports: { "b:1": 30001 } }',
      'keepTopicsAlive: true',
    ).replace('protocol: pulsar', 'protocol: kafka'),
    faults: [
      '5:35 routes[0].upstream.auth: a kafka route has upstream.sasl in its place',
      '5:74 routes[0].upstream.allowedBrokers: only a pulsar route has a use for it, and this one is kafka: remove this key',
      '6:33 routes[0].brokers.rewriteLookups: only a pulsar route has a use for it, and this one is kafka: remove this key',
      '6:65 routes[0].brokers.ports["b:1"]: must be a node id, a whole number from 0 on',
      '7:5 routes[0].keepTopicsAlive: only a pulsar route has a use for it, and this one is kafka: remove this key',
    ],
  },
  {
    name: "a pulsar route's keys on a tcp route",
    text: file('bootstrap: [b:1], auth: { method: token, tokenFile: t }', 'brokers: { rewriteLookups: proxy }').replace(
      'protocol: pulsar',
      'protocol: tcp',
    ),
    faults: [
      '5:35 routes[0].upstream.auth: only a pulsar route has a use for it, and this one is tcp: remove this key',
      '6:5 routes[0].brokers: a tcp route passes bytes on as they are, and has no use for it: remove this key',
    ],
  },
  {
    name: 'local ports without listeners',
    text: file('bootstrap: [b:1]', 'brokers: { portBase: 1, ports: { "b:1": 2 }, listenHost: a, advertisedHost: b }'),
    faults: [
      `6:16 routes[0].brokers.portBase: ${PORTS}`,
      `6:29 routes[0].brokers.ports: ${PORTS}`,
      `6:50 routes[0].brokers.listenHost: ${PORTS}`,
      `6:65 routes[0].brokers.advertisedHost: ${PORTS}`,
    ],
  },
  {
    name: 'listeners without local ports',
    text: file('bootstrap: [b:1]', 'brokers: { rewriteLookups: listeners }'),
    faults: [
      '6:5 routes[0].brokers: rewriteLookups: listeners needs brokers.portBase, such as 29092, or brokers.ports: each …',
    ],
  },
  {
    name: 'listeners by node id',
    text: file('bootstrap: [b:1]', 'brokers: { rewriteLookups: listeners, ports: { 1: 30001 } }'),
    faults: [
      '6:52 routes[0].brokers.ports.1: Pulsar brokers have no ids: name each by its address, such as "broker-1:6650"',
    ],
  },
  {
    name: 'patterns of brokers that are none',
    text: file(
      'bootstrap: [b:1], allowedBrokers: ["b", "b:*:1", "b:70000", "*:*", "b-*.example:6650", "pulsar://b:1"]',
    ),
    faults: [
      '5:52 routes[0].upstream.allowedBrokers[0]: must be host:port without a scheme, with * for what may differ, such as …',
      '5:57 routes[0].upstream.allowedBrokers[1]: must be host:port without a scheme, with * for what may differ, such as …',
      '5:66 routes[0].upstream.allowedBrokers[2]: must be host:port without a scheme, with * for what may differ, such as …',
      '5:104 routes[0].upstream.allowedBrokers[5]: must be host:port without a scheme, with * for what may differ, such as …',
    ],
  },
  {
    name: 'frames that have no room for a message',
    text: `${file('bootstrap: [b:1]')}limits: { maxFrameBytes: 10240, wholeFrameBytes: 1024 }\n`,
    faults: ['6:26 limits.maxFrameBytes: must be at least 16384 bytes for a pulsar route, not 10240'],
  },
];
