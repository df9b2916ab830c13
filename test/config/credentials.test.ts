import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type CredentialsOptions, loadCredentials, parseCredentials } from '../../src/config/credentials.ts';
import { ConfigError } from '../../src/config/fault.ts';

const GOOD = `users:
  alice:
    password: planted
    sasl: { mechanism: SCRAM-SHA-512, username: alice, passwordFile: alice.txt }
  bob smith:
    passwordFile: bob.txt
`;

function faultsOf(text: string, options?: CredentialsOptions): string {
  try {
    parseCredentials(text, 'users.yaml', options);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

t.test('users have a password, and may be somebody of their own for brokers', async (t) => {
  const { users } = parseCredentials(GOOD, '/etc/slackwater/users.yaml');
  t.strictSame(Object.keys(users), ['alice', 'bob smith']);
  t.equal(users.alice?.password?.reveal(), 'planted');
  t.match(users.alice?.sasl, { mechanism: 'SCRAM-SHA-512', passwordFile: '/etc/slackwater/alice.txt' });
  t.equal(users['bob smith']?.passwordFile, '/etc/slackwater/bob.txt');
  t.equal(users['bob smith']?.sasl, undefined);
  t.notMatch(JSON.stringify(users), 'planted');
});

t.test('every fault of a credentials file is told with its place, and no secret', async (t) => {
  const text = `users:
  alice: { passwrd: planted }
  bob: {}
  carol: { password: planted, passwordFile: x }
  dave: { password: 5, sasl: { mechanism: PLAIN, username: planted } }
  eve: planted
  "": { password: planted }
  frank: { password:planted }
`;
  t.equal(
    faultsOf(text),
    [
      'users.yaml:2:12 users.alice.passwrd: unknown key; did you mean "password"?',
      'users.yaml:3:3 users.bob: this user cannot authenticate: give it password or passwordFile',
      'users.yaml:4:12 users.carol.password: passwordFile and password are given: keep one of them',
      'users.yaml:5:21 users.dave.password: must be a text, in quotes if it looks like something else, not a number',
      'users.yaml:5:24 users.dave.sasl: PLAIN needs passwordFile or password',
      'users.yaml:6:8 users.eve: must be a mapping with password or passwordFile in it, not this text',
      'users.yaml:7:3 users[""]: must be a user name: 1 to 255 characters, none of them a control character, not ""',
      'users.yaml:8:12 users.frank: unknown key: a space must follow the colon, or quotes stand around all of it',
    ].join('\n'),
  );
  t.equal(faultsOf(''), 'users.yaml:1:1: the file is empty: give it users, as docs/security.md shows');
  t.equal(faultsOf('user: {}\n'), 'users.yaml:1:1 user: unknown key; did you mean "users"?');
});

t.test('users need no password where certificates alone say who they are', async (t) => {
  const text = 'users: { alice: {}, bob: { password: a, passwordFile: b } }\n';
  t.match(faultsOf(text), 'users.alice: this user cannot authenticate');
  t.notMatch(faultsOf(text, { passwordsRequired: false }), 'alice');
  t.match(faultsOf(text, { passwordsRequired: false }), 'users.bob.password: ');
});

t.test('a credentials file that is not there is named with its key', async (t) => {
  const folder = t.testdir();
  const missing = join(folder, 'users.yaml');
  await t.rejects(loadCredentials(missing), {
    message: `${missing}:1:1: there is no such file: check listenSasl.credentialsFile`,
  });
  await writeFile(missing, GOOD);
  t.strictSame(Object.keys((await loadCredentials(missing)).users), ['alice', 'bob smith']);
});
