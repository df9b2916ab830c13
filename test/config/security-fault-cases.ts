/** What must be said about wrong keys of TLS and SASL. A secret is called `planted`, and is never told. */
import type { FaultCase } from './fault-cases.ts';

/** One route, with further keys of its `upstream` on line 5 and of the route itself from line 7 on. */
function file(upstream: string, ...route: readonly string[]): string {
  return [
    'routes:',
    '  - name: orders',
    '    protocol: kafka',
    '    listen: 127.0.0.1:9092',
    `    upstream: { bootstrap: [b:1], ${upstream} }`,
    '    brokers: { portBase: 29092 }',
    ...route.map((line) => `    ${line}`),
    '',
  ].join('\n');
}

function sasl(keys: string, ...faults: readonly string[]): Pick<FaultCase, 'text' | 'faults'> {
  return {
    text: file(`sasl: { ${keys} }`),
    faults: faults.map((fault) => fault.replace('@', 'routes[0].upstream.sasl')),
  };
}

function tls(keys: string, ...faults: readonly string[]): Pick<FaultCase, 'text' | 'faults'> {
  return {
    text: file(`tls: { ${keys} }`),
    faults: faults.map((fault) => fault.replace('@', 'routes[0].upstream.tls')),
  };
}

export const SECURITY_FAULT_CASES: readonly FaultCase[] = [
  {
    name: 'a mechanism that there is not',
    ...sasl(
      'mechanism: SCRAM, username: a, password: planted',
      '5:54 @.mechanism: must be one of PLAIN, SCRAM-SHA-256, …',
    ),
  },
  {
    name: 'a mapping that is a text',
    text: file('sasl: planted'),
    faults: ['5:41 routes[0].upstream.sasl: must be a mapping with mechanism in it, not this text'],
  },
  {
    name: 'a password that is a number',
    ...sasl(
      'mechanism: PLAIN, username: a, password: 1234',
      '5:84 @.password: must be a text, in quotes if it looks like something else, not a number',
    ),
  },
  {
    name: 'an empty password',
    ...sasl('mechanism: PLAIN, username: a, password: ""', '5:84 @.password: must not be empty'),
  },
  {
    name: 'a password without a value',
    ...sasl('mechanism: PLAIN, username: a, password: ', '5:74 @.password: has no value: it must be a text, …'),
  },
  {
    name: 'a password stuck to its colon',
    ...sasl(
      'mechanism: PLAIN, username: a, password:planted',
      '5:74 @: unknown key: a space must follow the colon, or quotes stand around all of it',
    ),
  },
  {
    name: 'a password that looks like an alias',
    text: file('sasl: { mechanism: PLAIN, username: a, password: *planted }'),
    faults: ['5:84: this alias has no anchor: …'],
  },
  {
    name: 'a password that looks like a tag',
    text: file('sasl: { mechanism: PLAIN, username: a, password: !planted x }'),
    faults: ['5:84: is not valid YAML: unresolved tag; …'],
  },
  {
    name: 'a key in the wrong case',
    ...sasl(
      'mechanism: PLAIN, username: a, passwordfile: p',
      '5:74 @.passwordfile: unknown key; did you mean "passwordFile"?',
    ),
  },
  {
    name: 'nobody',
    ...sasl(
      'mechanism: SCRAM-SHA-512',
      '5:35 @: SCRAM-SHA-512 needs username or usernameFile',
      '5:35 @: SCRAM-SHA-512 needs passwordFile or password',
    ),
  },
  {
    name: 'two passwords',
    ...sasl(
      'mechanism: PLAIN, usernameFile: u, password: planted, passwordFile: p',
      '5:78 @.password: passwordFile and password are given: keep one of them',
    ),
  },
  {
    name: 'two names',
    ...sasl(
      'mechanism: PLAIN, username: a, usernameFile: u, passwordFile: p',
      '5:74 @.usernameFile: username and usernameFile are given: keep one of them',
    ),
  },
  {
    name: 'keys of another mechanism',
    ...sasl(
      'mechanism: PLAIN, username: a, passwordFile: p, tokenFile: t, region: r',
      '5:91 @.tokenFile: PLAIN has no use for it: remove it; its keys are username, usernameFile, passwordFile, password',
      '5:105 @.region: PLAIN has no use for it: …',
    ),
  },
  {
    name: 'no token',
    ...sasl('mechanism: OAUTHBEARER', '5:35 @: OAUTHBEARER needs tokenFile or token or tokenEndpoint'),
  },
  {
    name: 'two tokens',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenFile: t, token: planted',
      '5:81 @.token: tokenFile and token are given: keep one of them',
    ),
  },
  {
    name: 'an extension of a reserved name',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenFile: t, extensions: { auth: x, a-b: y }',
      '5:95 @.extensions.auth: must be a name of letters only, other than auth',
      '5:104 @.extensions.a-b: must be a name …',
    ),
  },
  {
    name: 'a token endpoint over http',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenEndpoint: { url: http://idp/t, clientId: c, clientSecret: planted, caFile: f }',
      '5:89 @.tokenEndpoint.url: http would send the client secret readable over the network: use https, or an address on loopback',
      '5:139 @.tokenEndpoint.caFile: http has no certificates to verify: remove caFile, or use https',
    ),
  },
  {
    name: 'a token endpoint with a secret in its URL',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenEndpoint: { url: "https://a:planted@idp/t", clientId: c }',
      '5:89 @.tokenEndpoint.url: must hold neither user name nor password: there are keys for them',
    ),
  },
  {
    name: 'a token endpoint without a secret',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenEndpoint: { url: "https://idp/t", clientId: c }',
      '5:67 @.tokenEndpoint: the client credentials grant needs clientSecretFile or clientSecret',
    ),
  },
  {
    name: 'an endpoint that is no URL',
    ...sasl(
      'mechanism: OAUTHBEARER, tokenEndpoint: { url: planted, clientId: c, clientSecretFile: s }',
      '5:89 @.tokenEndpoint.url: must be a URL that begins with https:// or http://',
    ),
  },
  { name: 'AWS without a region', ...sasl('mechanism: AWS_MSK_IAM, profile: p', '5:35 @: AWS_MSK_IAM needs region') },
  {
    name: 'a certificate without its key',
    ...tls('certificateFile: c', '5:42 @.certificateFile: a certificate needs its key: set keyFile as well'),
  },
  {
    name: 'a key without its certificate',
    ...tls('keyFile: k', '5:42 @.keyFile: a key needs its certificate: set certificateFile as well'),
  },
  {
    name: 'passwords of nothing',
    ...tls(
      'keyPasswordFile: k, pkcs12PasswordFile: p',
      '5:42 @.keyPasswordFile: there is no keyFile that …',
      '5:62 @.pkcs12PasswordFile: there is no pkcs12File that …',
    ),
  },
  {
    name: 'two certificates',
    ...tls(
      'certificateFile: c, keyFile: k, pkcs12File: p',
      '5:74 @.pkcs12File: it has certificate and key in it: remove it, or certificateFile',
    ),
  },
  {
    name: 'verification that is off',
    ...tls(
      'rejectUnauthorized: false',
      '5:62 @.rejectUnauthorized: false lets anybody pose as a broker: remove it, or confirm it with insecureSkipVerify: true',
    ),
  },
  {
    name: 'verification that is on and off',
    ...tls(
      'insecureSkipVerify: true',
      '5:62 @.insecureSkipVerify: means nothing without rejectUnauthorized: false: remove it, or set both',
    ),
  },
  {
    name: 'an old version of TLS',
    ...tls('minVersion: TLSv1.1', '5:54 @.minVersion: must be one of TLSv1.2, TLSv1.3, not "TLSv1.1"'),
  },
  { name: 'a path that is none', ...tls('caFile: [a]', '5:50 @.caFile: must be the path of a file, not a list') },
  {
    name: 'clients that authenticate to the brokers, and a sidecar that does',
    text: file(
      'sasl: { mechanism: PLAIN, username: a, passwordFile: p }, saslPassThrough: true',
      'listenSasl: { credentialsFile: u }',
    ),
    faults: [
      '5:110 routes[0].upstream.saslPassThrough: upstream.sasl says who the sidecar is, but here clients say who they are: …',
      '5:110 routes[0].upstream.saslPassThrough: clients authenticate either to the brokers or, with listenSasl, to the …',
    ],
  },
  {
    name: 'a state that nobody needs',
    text: file('tls: {}', 'stateFile: s.json'),
    faults: [
      '7:5 routes[0].stateFile: only a route with upstream.saslPassThrough needs to remember its brokers: remove it',
    ],
  },
  {
    name: 'one state for two routes',
    text: `${file('saslPassThrough: true', 'stateFile: s.json')}  - { name: b, protocol: kafka, listen: 127.0.0.1:1, upstream: { bootstrap: [b:1], saslPassThrough: true }, brokers: { portBase: 5000 }, stateFile: s.json }\n`,
    faults: ['8:149 routes[1].stateFile: routes[0] keeps its brokers there as well: give each route a file of its own'],
  },
  {
    name: 'subjects of certificates that nobody must show',
    text: file('tls: {}', 'listenTls: { certificateFile: c, keyFile: k, subjectIsUser: true }'),
    faults: [
      '7:65 routes[0].listenTls.subjectIsUser: clients need not show a certificate that could name them: set clientCaFile …',
      '7:65 routes[0].listenTls.subjectIsUser: a certificate names a user of listenSasl.credentialsFile: set listenSasl …',
    ],
  },
  {
    name: 'nothing to authenticate with',
    text: file('tls: {}', 'listenSasl: { credentialsFile: u, mechanisms: [] }'),
    faults: ['7:51 routes[0].listenSasl.mechanisms: without mechanisms nobody could authenticate: name some, or set …'],
  },
  {
    name: 'a mechanism that the sidecar does not offer',
    text: file('tls: {}', 'listenSasl: { credentialsFile: u, mechanisms: [OAUTHBEARER] }'),
    faults: [
      '7:52 routes[0].listenSasl.mechanisms[0]: must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, not "OAUTHBEARER"',
    ],
  },
  {
    name: 'a wrong mechanism does not hide that the key does not belong here',
    text: file('saslPassThrough: true, sasl: { mechanism: SCRAM-SHA-1, username: a, password: planted }'),
    faults: [
      '5:52 routes[0].upstream.saslPassThrough: upstream.sasl says who the sidecar is, but here clients say who they …',
      '5:77 routes[0].upstream.sasl.mechanism: must be one of PLAIN, SCRAM-SHA-256, …',
    ],
  },
  {
    name: 'listeners without a key',
    text: `${file('tls: {}', 'listenTls: { certificateFile: c }', 'listenSasl: {}')}admin: { tls: {} }\n`,
    faults: [
      '7:5 routes[0].listenTls.keyFile: is missing: it must be the path of a file',
      '8:5 routes[0].listenSasl.credentialsFile: is missing: it must be the path of a file',
      '9:10 admin.tls.certificateFile: is missing: …',
      '9:10 admin.tls.keyFile: is missing: …',
    ],
  },
  {
    name: 'a tcp route that would know its clients',
    text: file(
      'sasl: { mechanism: PLAIN, username: a, passwordFile: p }, saslPassThrough: true',
      'listenTls: { certificateFile: c, keyFile: k, subjectIsUser: true }',
      'listenSasl: { credentialsFile: u }',
      'stateFile: s.json',
    )
      .replace('kafka', 'tcp')
      .replace('    brokers: { portBase: 29092 }\n', ''),
    faults: [
      '5:35 routes[0].upstream.sasl: a tcp route passes bytes on as they are, …',
      '5:93 routes[0].upstream.saslPassThrough: a tcp …',
      '6:50 routes[0].listenTls.subjectIsUser: a tcp …',
      '7:5 routes[0].listenSasl: a tcp …',
      '8:5 routes[0].stateFile: a tcp …',
    ],
  },
];
