/** Broken configuration files and what must be said about them, each with its exact place. */

import { PULSAR_FAULT_CASES } from './pulsar-fault-cases.ts';
import { SECURITY_FAULT_CASES } from './security-fault-cases.ts';

/** A good file, six lines long; the cases put something wrong into it or after it. */
export const GOOD = `routes:
  - name: orders
    protocol: kafka
    listen: 127.0.0.1:9092
    upstream: { bootstrap: [broker-1:9092] }
    brokers: { portBase: 29092 }
`;

export interface FaultCase {
  readonly name: string;
  readonly text: string;
  /** Each `line:column path: message`, in order; a message may be given by its beginning, ended by `…`. */
  readonly faults: readonly string[];
}

const UNREADABLE: readonly FaultCase[] = [
  {
    name: 'an empty file',
    text: '',
    faults: ['1:1: the file is empty: give it at least one route, as config.example.yaml shows'],
  },
  {
    name: 'a file of comments',
    text: '# nothing\n\n# here\n',
    faults: ['1:1: the file is empty: give it at least one route, as config.example.yaml shows'],
  },
  {
    name: 'a list in place of keys',
    text: '- a\n',
    faults: ['1:1: must be a mapping of keys, beginning with routes, not a list'],
  },
  {
    name: 'an open bracket',
    text: 'routes: [\n',
    faults: ['2:1: is not valid YAML: flow sequence in block collection …'],
  },
  {
    name: 'a tab as indentation',
    text: 'routes:\n\t- name: a\n',
    faults: ['2:1: is not valid YAML: tabs are not allowed as indentation; use spaces'],
  },
  {
    name: 'an IPv6 address without quotes',
    text: GOOD.replace('127.0.0.1:9092', '[::1]:9092'),
    faults: ['4:18: is not valid YAML: unexpected scalar at node end; quote IPv6 addresses: "[::1]:9092"'],
  },
  {
    name: 'two documents',
    text: `${GOOD}---\n${GOOD}`,
    faults: ['7:1: the file holds more than one YAML document: remove the "---" between them'],
  },
  {
    name: 'an alias without anchor',
    text: `${GOOD}pool: *shared\n`,
    faults: ['7:7: this alias has no anchor: write one before it, or put a text that begins with * in quotes'],
  },
  {
    name: 'an alias inside its own anchor',
    text: `${GOOD}pool: &shared { maxWaiters: *shared }\n`,
    faults: ['7:29: *shared contains itself: write the value out'],
  },
  {
    name: 'an unknown tag',
    text: `${GOOD}pool: !secret x\n`,
    faults: ['7:7: is not valid YAML: unresolved tag; put a text that begins with ! in quotes'],
  },
  {
    name: 'a binary value',
    text: GOOD.replace('orders', '!!binary b3JkZXJz'),
    faults: ['2:11: is not valid YAML: unresolved tag; …'],
  },
  {
    name: 'aliases that multiply',
    text: `${GOOD}a: &a [${'1, '.repeat(30)}]\nb: &b [${'*a, '.repeat(30)}]\nc: [${'*b, '.repeat(30)}]\n`,
    faults: ['1:1: cannot be read as YAML: Excessive alias count …'],
  },
  {
    name: 'a mapping as a key',
    text: `${GOOD}? { a: b }\n: c\n`,
    faults: ['7:3: a key must be plain text: quote it if it has brackets'],
  },
  {
    name: 'a key that would change prototypes',
    text: `${GOOD}__proto__: { allowShortIdle: true }\n`,
    faults: ['7:1: there is no key "__proto__": remove it'],
  },
  {
    name: 'endless nesting',
    text: `${GOOD}pool: ${'['.repeat(60)}${']'.repeat(60)}\n`,
    faults: ['7:39: is nested too deeply'],
  },
];

const KEYS: readonly FaultCase[] = [
  {
    name: 'a mistyped key',
    text: `${GOOD}connectionMaxIdleSecond: 60\n`,
    faults: ['7:1 connectionMaxIdleSecond: unknown key; did you mean "connectionMaxIdleSeconds"?'],
  },
  {
    name: 'a required key mistyped is one fault',
    text: GOOD.replace('protocol', 'protcol'),
    faults: ['3:5 routes[0].protcol: unknown key; did you mean "protocol"?'],
  },
  {
    name: 'a key in the wrong case',
    text: GOOD.replace('portBase', 'portbase'),
    faults: ['6:16 routes[0].brokers.portbase: unknown key; did you mean "portBase"?'],
  },
  {
    name: 'a key at the wrong level',
    text: `${GOOD}maxWaiters: 5\nbootstrap: [a:1]\n`,
    faults: [
      '7:1 maxWaiters: unknown key here; "maxWaiters" stands in pool',
      '8:1 bootstrap: unknown key here; "bootstrap" stands in a route\'s upstream',
    ],
  },
  {
    name: 'a process-wide key in a route',
    text: `${GOOD}    log: { level: info }\n`,
    faults: ['7:5 routes[0].log: unknown key here; "log" stands at the top level'],
  },
  {
    name: 'a key that resembles none',
    text: `${GOOD}zookeeper: a\nlog: { colour: true }\n`,
    faults: ['7:1 zookeeper: unknown key: remove it', '8:8 log.colour: unknown key; known here: level, format'],
  },
  {
    name: 'a merge key',
    text: `${GOOD}<<: { allowShortIdle: true }\n`,
    faults: ['7:1 ["<<"]: unknown key: remove it'],
  },
  {
    name: 'duplicate keys',
    text: `${GOOD}log: { level: info }\npool: { maxWaiters: 1, maxWaiters: 2 }\nlog: { format: text }\n`,
    faults: [
      '8:24 pool.maxWaiters: duplicate key, first on line 8: keep one of the two',
      '9:1 log: duplicate key, first on line 7: keep one of the two',
    ],
  },
  {
    name: 'no routes',
    text: 'allowShortIdle: true\n',
    faults: ['1:1 routes: is missing: it must be a list of routes'],
  },
  { name: 'an empty list of routes', text: 'routes: []\n', faults: ['1:9 routes: must hold at least one route'] },
  {
    name: 'a route without anything',
    text: 'routes:\n  - {}\n',
    faults: [
      '2:5 routes[0].name: is missing: it must be 1 to 63 letters, …',
      '2:5 routes[0].protocol: is missing: it must be one of kafka, pulsar, tcp',
      '2:5 routes[0].listen: is missing: it must be host:port, such as 127.0.0.1:9092',
      '2:5 routes[0].upstream: is missing: it must be a mapping with bootstrap in it',
    ],
  },
];

const VALUES: readonly FaultCase[] = [
  {
    name: 'a key without value',
    text: `${GOOD}pool:\nmaxClients:\n`,
    faults: [
      '7:1 pool: has no value: it must be a mapping of keys',
      '8:1 maxClients: has no value: it must be a whole number of sockets from 1 to 1000000',
    ],
  },
  {
    name: 'values of the wrong type',
    text: `${GOOD}allowShortIdle: yes\nmaxClients: many\npool: [1]\nlog: { level: loud }\nadmin: { listen: 9901 }\n`,
    faults: [
      '7:17 allowShortIdle: must be true or false, not "yes"',
      '8:13 maxClients: must be a whole number of sockets from 1 to 1000000, not "many"',
      '9:7 pool: must be a mapping of keys, not a list',
      '10:15 log.level: must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
      '11:18 admin.listen: must be host:port, such as 127.0.0.1:9092, not 9901',
    ],
  },
  {
    name: 'numbers out of bounds, with their unit',
    text: `${GOOD}connectionMaxIdleSeconds: -1\npool: { growAfterWaitMilliseconds: 0.5 }\nlimits: { maxFrameBytes: 1e99 }\n`,
    faults: [
      '7:27 connectionMaxIdleSeconds: must be a whole number of seconds from 0 to 86400, not -1',
      '8:36 pool.growAfterWaitMilliseconds: must be a whole number of milliseconds from 0 to 60000, not 0.5',
      '9:26 limits.maxFrameBytes: must be a whole number of bytes from 1024 to 2147483647, not 1e+99',
    ],
  },
  {
    name: 'addresses',
    text: GOOD.replace('broker-1:9092', 'kafka://b:9092, b, ":1", b:65536, 300.1.1.1:1, "::1:1", b:0, a_b:1'),
    faults: [
      '5:29 routes[0].upstream.bootstrap[0]: must be host:port, such as broker-1:9092, or on a pulsar route pulsar://broker-1:6650, not "kafka://b:9092"',
      '5:45 routes[0].upstream.bootstrap[1]: must be host:port, such as 127.0.0.1:9092, not "b"',
      '5:48 routes[0].upstream.bootstrap[2]: must name a host before the port, such as 127.0.0.1:9092, not ":1"',
      '5:54 routes[0].upstream.bootstrap[3]: must end in a port from 0 to 65535, not "b:65536"',
      '5:63 routes[0].upstream.bootstrap[4]: must be host:port; "300.1.1.1" is neither a host name nor an IP address, …',
      '5:76 routes[0].upstream.bootstrap[5]: must be host:port, with an IPv6 address in brackets and quotes: …',
      '5:85 routes[0].upstream.bootstrap[6]: must end in a port from 1 to 65535, not "b:0"',
    ],
  },
  {
    name: 'node ids and ports',
    text: GOOD.replace('portBase: 29092', 'ports: { 1: 0, x: 1, 2147483648: 3, 7: 30007 }'),
    faults: [
      '6:28 routes[0].brokers.ports.1: must be a port from 1 to 65535, not 0',
      '6:31 routes[0].brokers.ports.x: must be a node id, a whole number from 0 on, not "x"',
      '6:37 routes[0].brokers.ports.2147483648: must be a node id up to 2147483647, not "2147483648"',
    ],
  },
  {
    name: 'addresses that are dialled in place of others',
    text: GOOD.replace(
      '[broker-1:9092]',
      '[broker-1:9092], dialAddresses: { broker: 10.0.0.7:9092, b:9092: 10.0.0.7 }',
    ),
    faults: [
      '5:62 routes[0].upstream.dialAddresses.broker: must be host:port, …',
      '5:93 routes[0].upstream.dialAddresses["b:9092"]: must be host:port, …',
    ],
  },
];

/** A file with a second route after the first. */
function withRoute(route: string): string {
  return `${GOOD}  - ${route}\n`;
}

const BETWEEN_KEYS: readonly FaultCase[] = [
  {
    name: 'a short idle time',
    text: `${GOOD}connectionMaxIdleSeconds: 29\nclientMaxIdleSeconds: 1\n`,
    faults: [
      '7:27 connectionMaxIdleSeconds: must be 0 or at least 30 seconds, not 29, unless allowShortIdle is true',
      '8:23 clientMaxIdleSeconds: must be 0 or at least 30 seconds, not 1, unless allowShortIdle is true',
    ],
  },
  {
    name: 'a short idle time that only a route forbids',
    text: `${GOOD}    allowShortIdle: false\nallowShortIdle: true\nconnectionMaxIdleSeconds: 5\n`,
    faults: ['7:21 routes[0].allowShortIdle: must be 0 or at least 30 seconds, not 5, unless allowShortIdle is true'],
  },
  {
    name: 'an idle time up to the ceiling',
    text: `${GOOD}connectionMaxIdleSeconds: 530\n`,
    faults: [
      '7:27 connectionMaxIdleSeconds: 530 s idle + 60 s detection interval + 10 s reach idleCeilingSeconds (600 s), …',
    ],
  },
  {
    name: 'a ceiling that a route lowers',
    text: `${GOOD}    idleCeilingSeconds: 240\n`,
    faults: ['7:25 routes[0].idleCeilingSeconds: 180 s idle + 60 s detection interval + 10 s reach …'],
  },
  {
    name: 'a dial that may outlast the wait',
    text: `${GOOD}    upstream2: 1\nupstream: { dialTimeoutMilliseconds: 5000 }\n`.replace('    upstream2: 1\n', ''),
    faults: [
      '7:38 upstream.dialTimeoutMilliseconds: a dial may take 5000 ms, which must be less than the 5000 ms of pool.maxWaitMilliseconds',
    ],
  },
  {
    name: 'a wait that a route makes too short for a dial',
    text: `${GOOD}    pool: { maxWaitMilliseconds: 1000 }\n`,
    faults: ['7:34 routes[0].pool.maxWaitMilliseconds: a dial may take 3000 ms, which must be less than the 1000 ms …'],
  },
  {
    name: 'whole frames larger than the largest frame',
    text: `${GOOD}limits: { maxFrameBytes: 2048, wholeFrameBytes: 4096 }\n`,
    faults: [
      '7:49 limits.wholeFrameBytes: limits.wholeFrameBytes (4096 bytes) must not exceed limits.maxFrameBytes (2048 bytes)',
    ],
  },
  {
    name: 'more warm connections than there may be',
    text: `${GOOD}pool: { maxConnectionsPerBroker: 2, minWarmConnectionsPerBroker: 3 }\n`,
    faults: ['7:66 pool.minWarmConnectionsPerBroker: 3 warm connections must not exceed the 2 of …'],
  },
  {
    name: 'two routes of one name',
    text: withRoute('{ name: orders, protocol: tcp, listen: 127.0.0.1:1, upstream: { bootstrap: [b:1] } }'),
    faults: ['7:13 routes[1].name: routes[0] is called orders as well: give each route a name of its own'],
  },
  {
    name: 'two routes on one address',
    text: withRoute('{ name: b, protocol: tcp, listen: localhost:9092, upstream: { bootstrap: [b:1] } }'),
    faults: [
      '7:39 routes[1].listen: routes[0].listen (127.0.0.1:9092) and routes[1].listen (localhost:9092) cannot both be bound: change one of the ports',
    ],
  },
  {
    name: 'a route on the port of a listener that has its default',
    text: GOOD.replace(':9092\n', ':9902\n'),
    faults: [
      '4:13 routes[0].listen: routes[0].listen (127.0.0.1:9902) and health.listen (0.0.0.0:9902) cannot both be bound: …',
    ],
  },
  {
    name: 'admin and health on one address',
    text: `${GOOD}admin: { listen: 127.0.0.1:9000 }\nhealth: { listen: "[::]:9000" }\n`,
    faults: ['8:19 health.listen: admin.listen (127.0.0.1:9000) and health.listen ([::]:9000) cannot both be bound: …'],
  },
  {
    name: 'brokers on one port',
    text: GOOD.replace('portBase: 29092', 'ports: { 1: 9092, 2: 30000, 3: 30000 }'),
    faults: [
      '6:28 routes[0].brokers.ports.1: routes[0].listen (127.0.0.1:9092) and routes[0].brokers.ports.1 (127.0.0.1:9092) …',
      '6:47 routes[0].brokers.ports.3: routes[0].brokers.ports.2 (127.0.0.1:30000) and routes[0].brokers.ports.3 …',
    ],
  },
  {
    name: 'a kafka route that says nothing of its brokers',
    text: GOOD.replace('    brokers: { portBase: 29092 }\n', ''),
    faults: ['2:5 routes[0].brokers: a kafka route needs brokers.portBase, such as 29092, or brokers.ports: …'],
  },
  {
    name: 'a kafka route with no port for its brokers',
    text: GOOD.replace('portBase: 29092', 'ports: {}'),
    faults: ['6:5 routes[0].brokers: a kafka route needs brokers.portBase, such as 29092, or brokers.ports: …'],
  },
  {
    name: 'a tcp route with keys of kafka',
    text: GOOD.replace('kafka', 'tcp').replace('[broker-1:9092]', '[b:1], dialAddresses: { "a:1": b:1 }'),
    faults: [
      '5:35 routes[0].upstream.dialAddresses: a tcp route passes bytes on as they are, …',
      '6:5 routes[0].brokers: a tcp route passes bytes on as they are, …',
    ],
  },
  {
    name: 'a wildcard that clients would be told',
    text: GOOD.replace('127.0.0.1:9092', '0.0.0.0:9092'),
    faults: ['4:13 routes[0].listen: 0.0.0.0 stands for all addresses: say in brokers.advertisedHost which …'],
  },
  {
    name: 'a wildcard for the brokers alone',
    text: GOOD.replace('portBase: 29092', 'portBase: 29092, listenHost: "::"'),
    faults: ['6:45 routes[0].brokers.listenHost: :: stands for all addresses: say in brokers.advertisedHost which …'],
  },
  {
    name: 'brokers served where clients are not sent',
    text: GOOD.replace('portBase: 29092', 'portBase: 29092, listenHost: 10.0.0.5'),
    faults: [
      '6:45 routes[0].brokers.listenHost: brokers are served on 10.0.0.5, but applications would be told 127.0.0.1, …',
    ],
  },
  {
    name: 'an advertised wildcard',
    text: GOOD.replace('portBase: 29092', 'portBase: 29092, advertisedHost: 0.0.0.0'),
    faults: ['6:49 routes[0].brokers.advertisedHost: 0.0.0.0 is no address to connect to: …'],
  },
  {
    name: 'a route that leads to itself',
    text: GOOD.replace('broker-1:9092', 'broker-1:9092, localhost:9092'),
    faults: ['5:44 routes[0].upstream.bootstrap[1]: localhost:9092 is where this route itself listens: name a broker'],
  },
  {
    name: 'an admin listener for everybody',
    text: `${GOOD}admin: { listen: 0.0.0.0:9901 }\n`,
    faults: [
      '7:18 admin.listen: whoever reaches 0.0.0.0 could close connections: set admin.tokenFile, or stay on loopback …',
    ],
  },
  {
    name: 'faults of every kind at once, and none that only follow from others',
    text: GOOD.replace('29092', '700000')
      .replace('127.0.0.1:9092', 'nowhere')
      .replace('broker-1:9092', 'broker-1')
      .concat('  - 5\nmaxClient: 1\nhealth: { listen: 127.0.0.1:9901 }\n'),
    faults: [
      '4:13 routes[0].listen: must be host:port, such as 127.0.0.1:9092, not "nowhere"',
      '5:29 routes[0].upstream.bootstrap[0]: must be host:port, such as 127.0.0.1:9092, not "broker-1"',
      '6:26 routes[0].brokers.portBase: must be a port from 1 to 65535, not 700000',
      '7:5 routes[1]: must be a mapping of keys, beginning with name, not 5',
      '8:1 maxClient: unknown key; did you mean "maxClients"?',
      '9:19 health.listen: admin.listen (127.0.0.1:9901) and health.listen (127.0.0.1:9901) cannot both be bound: …',
    ],
  },
];

export const FAULT_CASES: readonly FaultCase[] = [
  ...UNREADABLE,
  ...KEYS,
  ...VALUES,
  ...BETWEEN_KEYS,
  ...SECURITY_FAULT_CASES,
  ...PULSAR_FAULT_CASES,
];
