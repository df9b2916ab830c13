import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { ConfigError } from '../../src/config/fault.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { exampleYaml } from '../support/config-docs.ts';
import { FAULT_CASES, GOOD } from './fault-cases.ts';

const SMALLEST = `routes:
  - name: orders
    protocol: kafka
    listen: 127.0.0.1:9092
    upstream:
      bootstrap: [broker-1:9092, broker-2:9092]
    brokers:
      portBase: 29092        # node 1 is served on 127.0.0.1:29093
`;

t.test('the smallest file has every default', async (t) => {
  t.strictSame(parseConfig(SMALLEST, 'config.yaml'), {
    routes: [
      {
        name: 'orders',
        protocol: 'kafka',
        listen: '127.0.0.1:9092',
        upstream: {
          bootstrap: ['broker-1:9092', 'broker-2:9092'],
          dialAddresses: {},
          allowedBrokers: [],
          saslPassThrough: false,
        },
        brokers: { portBase: 29092, ports: {}, removeAfterSeconds: 300 },
        keepTopicsAlive: false,
      },
    ],
    autoReleaseIdleConnectionsEnabled: true,
    connectionMaxIdleSeconds: 180,
    connectionIdleDetectionIntervalSeconds: 60,
    housekeepingLingerSeconds: 1,
    idleCeilingSeconds: 600,
    allowShortIdle: false,
    allowAboveCeiling: false,
    clientMaxIdleSeconds: 0,
    maxClients: 10000,
    shutdownGraceSeconds: 25,
    pool: {
      maxConnectionsPerBroker: 16,
      growAfterWaitMilliseconds: 10,
      leaseMaxHoldMilliseconds: 50,
      slowAnswerMilliseconds: 500,
      maxWaiters: 10000,
      maxWaitMilliseconds: 5000,
      excessLingerSeconds: 10,
      minWarmConnectionsPerBroker: 0,
      validateAfterIdleSeconds: 30,
      maxConnectionAgeSeconds: 3600,
    },
    limits: { maxFrameBytes: 104857600, wholeFrameBytes: 65536, clientStallSeconds: 60, responseTimeoutSeconds: 120 },
    upstream: { dialTimeoutMilliseconds: 3000 },
    admin: { listen: '127.0.0.1:9901' },
    health: { listen: '0.0.0.0:9902' },
    log: { level: 'info', format: 'json' },
  });
});

t.test('the file of the documentation with its top-level keys is good', async (t) => {
  const text = `${SMALLEST}connectionMaxIdleSeconds: 180
connectionIdleDetectionIntervalSeconds: 60
allowShortIdle: false        # true permits values under 30 s, for tests
admin: { listen: 127.0.0.1:9901 }
health: { listen: 0.0.0.0:9902 }
log: { level: info, format: json }
`;
  t.strictSame(parseConfig(text, 'config.yaml'), parseConfig(SMALLEST, 'config.yaml'));
});

function withUpstream(keys: string): string {
  return GOOD.replace('[broker-1:9092]', `[broker-1:9092], ${keys}`);
}

t.test('what the rules permit, they permit', async (t) => {
  const good: Readonly<Record<string, string>> = {
    'a short idle time where it is allowed': `${GOOD}connectionMaxIdleSeconds: 5\nallowShortIdle: true\n`,
    'a short idle time in a route that allows it': `${GOOD}    connectionMaxIdleSeconds: 5\n    allowShortIdle: true\n`,
    'no idle time at all': `${GOOD}connectionMaxIdleSeconds: 0\n`,
    'an idle time just below the ceiling': `${GOOD}connectionMaxIdleSeconds: 529\n`,
    'an idle time above a ceiling where it is allowed': `${GOOD}connectionMaxIdleSeconds: 3600\nallowAboveCeiling: true\n`,
    'an idle time above the ceiling if nothing is released': `${GOOD}connectionMaxIdleSeconds: 3600\nautoReleaseIdleConnectionsEnabled: false\n`,
    'no verification where it is confirmed': withUpstream(
      'tls: { rejectUnauthorized: false, insecureSkipVerify: true }',
    ),
    'a certificate with its key': withUpstream('tls: { certificateFile: c, keyFile: k, keyPasswordFile: p }'),
    'a key store': withUpstream('tls: { pkcs12File: p, pkcs12PasswordFile: q }'),
    'a token endpoint on this host without TLS': withUpstream(
      'sasl: { mechanism: OAUTHBEARER, tokenEndpoint: { url: "http://[::1]:1/t", clientId: c, clientSecret: s } }',
    ),
    'pass-through with a state': `${withUpstream('saslPassThrough: true')}    stateFile: s\n`,
    'users by certificate alone':
      `${GOOD}    listenTls: { certificateFile: c, keyFile: k, clientCaFile: a, subjectIsUser: true }\n` +
      '    listenSasl: { credentialsFile: u, mechanisms: [] }\n',
    'a tcp route over TLS on both sides': `${GOOD}  - { name: b, protocol: tcp, listen: 127.0.0.1:1, listenTls: { certificateFile: c, keyFile: k }, upstream: { bootstrap: [b:1], tls: {} } }\n`,
    'an admin listener for those who have the token': `${GOOD}admin: { listen: 0.0.0.0:9901, tokenFile: t }\n`,
    'one port for two loopback addresses': `${GOOD}  - { name: b, protocol: tcp, listen: 127.0.0.2:9092, upstream: { bootstrap: [b:1] } }\n`,
    'free ports twice': `${GOOD.replace(':9092\n', ':0\n')}admin: { listen: 127.0.0.1:0 }\nhealth: { listen: 127.0.0.1:0 }\n`,
    'a wildcard with an advertised host': GOOD.replace('127.0.0.1:9092', '0.0.0.0:9092').replace(
      '29092',
      '29092, advertisedHost: 10.0.0.5',
    ),
    'brokers on one of the addresses of localhost': GOOD.replace('127.0.0.1:9092', 'localhost:9092').replace(
      '29092',
      '29092, listenHost: "::1"',
    ),
    'ports in place of a base': GOOD.replace('portBase: 29092', 'ports: { 0: 29092, 1001: 30001 }'),
    'an admin listener on IPv6 loopback': `${GOOD}admin: { listen: "[::1]:9901" }\n`,
    'an alias': `${GOOD}    pool: &small { maxWaiters: 5 }\npool: *small\n`,
    'JSON, which is YAML': JSON.stringify({
      routes: [{ name: 'a', protocol: 'tcp', listen: 'localhost:1', upstream: { bootstrap: ['b:1'] } }],
    }),
    'a byte order mark and Windows line ends': `\ufeff${GOOD.replaceAll('\n', '\r\n')}`,
  };
  for (const [name, text] of Object.entries(good)) t.doesNotThrow(() => parseConfig(text, 'config.yaml'), name);
});

t.test('a file is read from the disk', async (t) => {
  const file = join(t.testdir({ 'config.yaml': GOOD }), 'config.yaml');
  t.strictSame(await loadConfig(file), parseConfig(GOOD, file));
});

t.test('a file that cannot be read is one fault that says what to do', async (t) => {
  const folder = t.testdir({});
  await writeFile(join(folder, 'binary.yaml'), Buffer.from([0x72, 0xff, 0xfe]));
  const missing = join(folder, 'missing.yaml');
  await t.rejects(loadConfig(missing), {
    code: 'CONFIG_INVALID',
    message: `${missing}:1:1: there is no such file: check the path after -c`,
  });
  await t.rejects(loadConfig(folder), { message: `${folder}:1:1: this is a directory: name the file in it` });
  await t.rejects(loadConfig(join(folder, 'binary.yaml')), { message: /the file is not UTF-8 text: save it as UTF-8/ });
});

/** Whether the text is read or refused, and refused with at least one fault in the text. */
function holds(text: string): boolean {
  try {
    parseConfig(text, 'config.yaml');
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = text.split(/\r\n|\n|\r/).length;
    return (
      error.faults.length > 0 && error.faults.every(({ line, column }) => line >= 1 && line <= lines && column >= 1)
    );
  }
}

t.test('whatever the text, it is read or refused with places inside it', async () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), holds), { numRuns: 1000 });
  const yaml = fc.string({
    unit: fc.constantFrom(...'{}[]:,-?&*!|>%@`"\'#\n\t <=~.0a'.split(''), 'routes', ': ', '- ', '\n  '),
    maxLength: 60,
  });
  fc.assert(fc.property(yaml, holds), { numRuns: 3000 });
});

t.test('whatever is cut out of a good file or put into it, it is read or refused', async () => {
  const files = fc.constantFrom(GOOD, exampleYaml(), ...FAULT_CASES.map(({ text }) => text));
  const piece = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom(
      '\n',
      '\n  ',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '"',
      '~',
      '.nan',
      '-.inf',
      '!!binary ',
      '? ',
    ),
  );
  fc.assert(
    fc.property(files, fc.nat(), fc.nat(12), piece, (file, at, cut, piece) => {
      const start = at % (file.length + 1);
      return holds(`${file.slice(0, start)}${piece}${file.slice(start + cut)}`);
    }),
    { numRuns: 1500 },
  );
});

t.test('whatever the value of a key, it is read or refused', async () => {
  const key = fc.constantFrom(
    'routes',
    'pool',
    'limits',
    'upstream',
    'admin',
    'log',
    'connectionMaxIdleSeconds',
    '__proto__',
  );
  const inner = fc.constantFrom(
    'name',
    'protocol',
    'listen',
    'upstream',
    'brokers',
    'bootstrap',
    'ports',
    'portBase',
    'pool',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(
        'kafka',
        'tcp',
        'a:1',
        null,
        true,
        -1,
        0,
        1,
        29092,
        Number.NaN,
        Number.POSITIVE_INFINITY,
      ),
      fc.double(),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(inner, tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(key, value), (file) => holds(stringify(file))),
    { numRuns: 1000 },
  );
});
