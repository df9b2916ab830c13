/** A configuration that is wrong at the very key that holds a secret is told without the secret. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { loadCredentials } from '../../src/config/credentials.ts';
import { loadConfig } from '../../src/config/load.ts';
import { invoke } from '../cli/invoke.ts';
import { Planted } from '../support/planted.ts';

interface Place {
  readonly key: string;
  /** Of a configuration or of a credentials file. */
  readonly file: 'configuration' | 'users';
  /** What stands above it. */
  readonly before: string;
  readonly indent: number;
  /** Spellings that make the secret the name of a key. */
  readonly except?: readonly string[];
}

const ROUTE = `routes:
  - name: orders
    protocol: kafka
    listen: 127.0.0.1:0
    brokers: {portBase: 29092}
    upstream:
      bootstrap: [broker-1:9092]
      sasl:
`;

const PULSAR = `routes:
  - name: orders
    protocol: pulsar
    listen: 127.0.0.1:0
    upstream:
      bootstrap: [pulsar://broker-1:6650]
      auth:
`;

/** Where a secret can stand. */
const PLACES: Readonly<Record<string, Place>> = {
  password: {
    key: 'password',
    file: 'configuration',
    before: `${ROUTE}        mechanism: PLAIN\n        username: app\n`,
    indent: 8,
  },
  token: { key: 'token', file: 'configuration', before: `${ROUTE}        mechanism: OAUTHBEARER\n`, indent: 8 },
  'client secret': {
    key: 'clientSecret',
    file: 'configuration',
    before: `${ROUTE}        mechanism: OAUTHBEARER
        tokenEndpoint:
          url: https://idp.invalid/token
          clientId: app
`,
    indent: 10,
  },
  "pulsar route's token": {
    key: 'token',
    file: 'configuration',
    before: `${PULSAR}        method: token\n`,
    indent: 8,
  },
  "pulsar route's password": {
    key: 'password',
    file: 'configuration',
    before: `${PULSAR}        method: basic\n        username: app\n`,
    indent: 8,
  },
  "user's password": { key: 'password', file: 'users', before: 'users:\n  alice:\n', indent: 4 },
  "user's upstream password": {
    key: 'password',
    file: 'users',
    before: 'users:\n  alice:\n    password: right\n    sasl:\n      mechanism: PLAIN\n      username: alice\n',
    indent: 6,
  },
  'user instead of what belongs below it': {
    key: 'alice',
    file: 'users',
    before: 'users:\n',
    indent: 2,
    except: ['KEY: {S: 1}', 'KEY: {S: 1, S: 2}', 'KEY:S: 1\nKEY:S: 2', 'KEY:\n  S: 1\n  S: 2'],
  },
};

/** How people get it wrong, and how it is right; `S` is the secret. Names of unknown keys are shown: none is the secret. */
const SPELLINGS: readonly string[] = [
  'KEY: S',
  'KEY: "S"',
  "KEY: 'S'",
  'KEY: [S]',
  'KEY: {S: 1}',
  'KEY: {a: S}',
  'KEY: {a: {b: [S]}}',
  'KEY:S',
  'KEY : S',
  'KEY = S',
  'KEY S',
  'S',
  '"S"',
  '- S',
  'KEY: *S',
  'KEY: &S',
  'KEY: &S x',
  'KEY: !S',
  'KEY: !S x',
  'KEY: !!S x',
  'KEY: !<S> x',
  'KEY: "S',
  "KEY: 'S",
  'KEY: @S',
  'KEY: `S`',
  'KEY: %S',
  'KEY: S: x',
  'KEY: S: S',
  'KEY: "S" S',
  'KEY: "S\\q"',
  'KEY: "\\xS"',
  'KEY: {S',
  'KEY: [S',
  'KEY: S]',
  'KEY: |S',
  'KEY: >S',
  'KEY: |\n\tS',
  'KEY: ? S',
  'KEY: - S',
  'KEY: S\nKEY: S',
  'KEY:\n  S: 1\n  S: 2',
  'KEY: {S: 1, S: 2}',
  'KEY:S: 1\nKEY:S: 2',
  'KEYY: S',
  'KEY-file: S',
  '<<: S',
  'KEY: 1S',
  'KEY: S\u0007',
  'KEY: S #',
  '__proto__: S',
  'S: &a *a',
  'KEY: {<<: *S}',
  'KEY: !!binary S',
  'KEY: !!int S',
  'KEY: --- S',
  '%S',
  '--- S',
  '*S : x',
  '&S x: y',
];

function textOf({ key, before, indent }: Place, spelling: string, secret: string): string {
  const lines = spelling.replaceAll('S', secret).replaceAll('KEY', key).split('\n');
  return before + lines.map((line) => `${' '.repeat(indent)}${line}\n`).join('');
}

/** Everything that can be got to see of it. */
async function outputs(t: Test, { file: kind }: Place, text: string): Promise<Readonly<Record<string, string>>> {
  const file = join(t.testdir({}), 'file.yaml');
  writeFileSync(file, text);
  const load = kind === 'users' ? loadCredentials : loadConfig;
  const loaded: unknown = await load(file).catch((error: unknown) => error);
  const shown = {
    inspected: inspect(loaded, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    text: String(loaded),
    json: JSON.stringify(loaded),
  };
  if (kind === 'users') return shown;
  const [plain, json] = [await invoke('check', '-c', file), await invoke('check', '-c', file, '--json')];
  return { ...shown, check: plain.out + plain.err, 'check --json': json.out + json.err };
}

for (const [name, place] of Object.entries(PLACES)) {
  t.test(`however wrong the ${name} is written, nothing shows it`, async (t) => {
    const planted = new Planted();
    // A letter first, so that it is a word wherever it stands.
    const secret = `s${planted.plantWord(name)}`;
    const shown: unknown[] = [];
    for (const spelling of SPELLINGS.filter((each) => place.except?.includes(each) !== true)) {
      for (const [where, output] of Object.entries(await outputs(t, place, textOf(place, spelling, secret)))) {
        if (planted.in(output).length > 0) shown.push([spelling, where, output.replaceAll(secret, 'S').slice(0, 400)]);
      }
    }
    t.strictSame(shown, []);
  });
}

t.test('the searching finds what it looks for', async (t) => {
  const planted = new Planted();
  const secret = planted.plant('a');
  const word = planted.plantWord('b');
  const bytes = Buffer.from(`user:${secret}:${word}`);
  const forms: string[] = [
    secret,
    JSON.stringify({ secret }),
    encodeURIComponent(secret),
    bytes.toString('base64'),
    Buffer.from(`u:${secret}`).toString('base64url'),
    Buffer.from(`us:${secret}`).toString('base64'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    inspect(Buffer.from(secret)),
    JSON.stringify(Buffer.from(secret)),
  ];
  for (const form of forms) t.ok(planted.in(`x ${form} y`).includes('a'), form);
  t.strictSame(planted.in(bytes.toString('base64')), ['a', 'b']);
  t.strictSame(planted.in('nothing of the kind'), []);
});
