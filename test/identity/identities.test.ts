import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Secret } from '../../src/contract/credential.ts';
import { FileWatch } from '../../src/identity/file-watch.ts';
import { IdentityError } from '../../src/identity/identity-error.ts';
import { openIdentities } from '../../src/identity/open.ts';
import type { IdentityOptions, UsersFile } from '../../src/identity/options.ts';
import { authority, certify } from '../support/certificates.ts';
import { endingToken } from '../support/ending-token.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MountedFolder, temporaryFolder } from '../support/mounted-folder.ts';

type Wishes = Partial<Omit<IdentityOptions, 'upstream'>> & { readonly upstream?: Partial<IdentityOptions['upstream']> };

async function identitiesOf(t: Test, wishes: Wishes) {
  const clock = new ManualClock();
  const watch = new FileWatch(clock);
  t.teardown(() => watch.close());
  const told: string[] = [];
  const identities = await openIdentities(
    {
      name: 'orders',
      listenTls: null,
      listenSasl: null,
      ...wishes,
      upstream: { tls: null, sasl: null, ...wishes.upstream },
    },
    {
      watch,
      key: 'routes[0]',
      parseUsers: (text) => usersIn(text),
      told: (name, change, detail) => told.push(`${name || 'route'} ${change}: ${detail}`),
    },
  );
  const changed: string[] = [];
  identities.onChange((name) => changed.push(name));
  return {
    identities,
    told,
    changed,
    clock,
    login: (name = '') => identities.find(name)?.login,
    pass: async (milliseconds: number) => {
      for (let left = milliseconds; left > 0; left -= 250) {
        clock.advance(250);
        await watch.settled();
      }
    },
  };
}

t.test('what upstream.auth names is shown as a bearer token or as a name with its password', async (t) => {
  const folder = temporaryFolder(t);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'abc.def.ghi\n');
  const byToken = await identitiesOf(t, { upstream: { auth: { method: 'token', tokenFile } } });
  const shown = await byToken.login()?.credential();
  t.equal(shown?.mechanism, 'OAUTHBEARER');
  t.equal(shown !== null && shown !== undefined && 'token' in shown && shown.token.reveal(), 'abc.def.ghi');
  writeFileSync(tokenFile, 'jkl.mno.pqr\n');
  await byToken.pass(2000);
  t.strictSame(byToken.changed, ['']);
  const auth = { method: 'basic', username: 'app', password: new Secret('right') } as const;
  const byName = await identitiesOf(t, { upstream: { auth } });
  t.match(await byName.login()?.credential(), { mechanism: 'PLAIN', username: 'app' });
  await t.rejects(
    identitiesOf(t, { upstream: { auth: { method: 'token', tokenFile: join(folder, 'none') } } }),
    new IdentityError('routes[0].upstream.auth.tokenFile', new Error(`${join(folder, 'none')} does not exist`)),
  );
});

/** JSON instead of what the configuration makes of YAML. */
function usersIn(text: string): UsersFile {
  const secret = (key: string, value: unknown): unknown => (key === 'password' ? new Secret(String(value)) : value);
  return JSON.parse(text, secret) as UsersFile;
}

const ca = authority();
const tlsKeys = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const;
const pairOf = (name: string) => {
  const { certificate, key } = certify({ name, by: ca, hosts: ['localhost'] });
  return { 'tls.crt': certificate, 'tls.key': key };
};

t.test('a route without TLS and SASL is nobody, and shows nothing', async (t) => {
  const { identities, login } = await identitiesOf(t, {});
  t.equal(login()?.fingerprint, '');
  t.equal(login()?.tls, null);
  t.equal(login()?.credential(), null);
  t.equal(identities.users, null);
  t.equal(identities.listenTls, undefined);
  t.strictSame(identities.certificates(), []);
  t.equal(identities.first.name, '');
});

t.test('a password that is swapped makes a new login within two seconds', async (t) => {
  const folder = new MountedFolder(t, { username: 'app\n', password: 'old secret\n' });
  const sasl = {
    mechanism: 'SCRAM-SHA-512',
    usernameFile: folder.file('username'),
    passwordFile: folder.file('password'),
  } as const;
  const { login, changed, told, pass } = await identitiesOf(t, { upstream: { sasl } });
  const before = login();
  t.match(before?.credential(), { mechanism: 'SCRAM-SHA-512', username: 'app' });
  folder.swap({ username: 'app\n', password: 'new secret\n' });
  await pass(2000);
  t.strictSame(changed, ['']);
  const credential = await login()?.credential();
  t.equal(credential?.mechanism === 'SCRAM-SHA-512' && credential.password.reveal(), 'new secret');
  t.not(login()?.fingerprint, before?.fingerprint);
  t.strictSame(told, [], 'the core tells of logins');
  folder.swap({ username: 'app\n', password: 'old secret\n' });
  await pass(2000);
  t.equal(login()?.fingerprint, before?.fingerprint, 'the same secret is the same login');
});

t.test('files that are touched or written again with the same text make no new login', async (t) => {
  const text = { username: 'app', password: 'secret' };
  const folder = new MountedFolder(t, text);
  const sasl = {
    mechanism: 'PLAIN',
    usernameFile: folder.file('username'),
    passwordFile: folder.file('password'),
  } as const;
  const { login, changed, pass } = await identitiesOf(t, { upstream: { sasl } });
  const before = login();
  folder.swap(text);
  await pass(3000);
  t.strictSame(changed, []);
  t.equal(login(), before);
});

t.test('certificate, key, authority and password that are swapped together make one new login', async (t) => {
  const files = () => ({ ...pairOf('client'), 'ca.crt': ca.certificate, password: `secret ${Math.random()}` });
  const folder = new MountedFolder(t, files());
  const { login, changed, pass } = await identitiesOf(t, {
    upstream: {
      tls: {
        ...tlsKeys,
        caFile: folder.file('ca.crt'),
        certificateFile: folder.file('tls.crt'),
        keyFile: folder.file('tls.key'),
      },
      sasl: { mechanism: 'PLAIN', username: 'app', passwordFile: folder.file('password') },
    },
  });
  const seen = new Set([login()?.fingerprint]);
  for (let rotation = 1; rotation <= 3; rotation += 1) {
    const context = login()?.tls?.context;
    folder.swap(files());
    await pass(2000);
    t.equal(changed.length, rotation);
    t.not(login()?.tls?.context, context, 'another certificate is shown');
    seen.add(login()?.fingerprint);
  }
  t.equal(seen.size, 4);
});

t.test('a swap that happens between two files of a look makes one new login all the same', async (t) => {
  const one = new MountedFolder(t, pairOf('client'));
  const other = new MountedFolder(t, { password: 'old' });
  const { changed, pass, login } = await identitiesOf(t, {
    upstream: {
      tls: { ...tlsKeys, certificateFile: one.file('tls.crt'), keyFile: one.file('tls.key') },
      sasl: { mechanism: 'PLAIN', username: 'app', passwordFile: other.file('password') },
    },
  });
  const before = login();
  other.swap({ password: 'new' });
  await pass(1000);
  one.swap(pairOf('client'));
  await pass(2000);
  t.strictSame(changed, ['']);
  t.not(login()?.fingerprint, before?.fingerprint);
});

t.test('a certificate whose key has not come yet changes nothing until it has', async (t) => {
  const folder = temporaryFolder(t);
  const [certificateFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const write = (pair: ReturnType<typeof pairOf>, files = [certificateFile, keyFile]) => {
    if (files.includes(certificateFile)) writeFileSync(certificateFile, pair['tls.crt']);
    if (files.includes(keyFile)) writeFileSync(keyFile, pair['tls.key']);
  };
  write(pairOf('client'));
  const { login, changed, told, pass } = await identitiesOf(t, {
    upstream: { tls: { ...tlsKeys, certificateFile, keyFile } },
  });
  const before = login();
  const next = pairOf('client');
  write(next, [certificateFile]);
  await pass(2000);
  t.equal(login(), before);
  t.strictSame(told, []);
  write(next, [keyFile]);
  await pass(2000);
  t.strictSame(changed, ['']);
  t.strictSame(told, [], 'nobody was alarmed');
  write(pairOf('client'), [keyFile]);
  await pass(20_000);
  t.equal(told.length, 1);
  t.match(told[0], /^route unreadable: upstream.tls: the key in .*tls.key does not belong to the certificate in/);
  t.strictSame(changed, [''], 'the last good ones stay');
  rmSync(certificateFile);
  await pass(20_000);
  t.equal(told.length, 2);
  t.match(told[1], /unreadable: upstream.tls: .*tls.crt does not exist$/);
  write(next);
  await pass(2000);
  t.match(told[2], /^route read: upstream.tls is in order again$/);
  t.strictSame(changed, ['']);
});

t.test('a session of TLS is never taken over by another login', async (t) => {
  const authorities = new MountedFolder(t, { 'ca.crt': ca.certificate });
  const folder = new MountedFolder(t, { password: 'a' });
  const { login, pass } = await identitiesOf(t, {
    upstream: {
      tls: { ...tlsKeys, caFile: authorities.file('ca.crt') },
      sasl: { mechanism: 'PLAIN', username: 'app', passwordFile: folder.file('password') },
    },
  });
  const before = login()?.tls;
  folder.swap({ password: 'b' });
  await pass(2000);
  t.equal(login()?.tls?.context, before?.context, 'what secures both is the same');
  t.not(login()?.tls?.sessions, before?.sessions);
});

t.test('what cannot be read or used at start is told with its key and its file', async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text?: string) => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const upstream = (tls: object) => ({ upstream: { tls: { ...tlsKeys, ...tls } } });
  const sasl = (keys: object) => ({ upstream: { sasl: { mechanism: 'PLAIN', ...keys } as const } });
  const pair = pairOf('server');
  const users = file('users.json', JSON.stringify({ users: { ann: { passwordFile: file('ann') } } }));
  const cases: readonly (readonly [Wishes, RegExp])[] = [
    [upstream({ caFile: file('none') }), /^routes\[0\].upstream.tls.caFile: .*none does not exist$/],
    [upstream({ caFile: file('bad', 'bad') }), /^routes\[0\].upstream.tls.caFile: .*bad holds no certificate/],
    [
      sasl({ username: 'a', passwordFile: file('none') }),
      /^routes\[0\].upstream.sasl.passwordFile: .*none does not exist/,
    ],
    [
      sasl({ usernameFile: file('empty', ''), password: new Secret('x') }),
      /upstream.sasl.usernameFile: .*empty is empty$/,
    ],
    [
      { upstream: { sasl: { mechanism: 'AWS_MSK_IAM', region: 'eu-west-1' } } },
      /^routes\[0\].upstream.sasl: AWS_MSK_IAM needs AWS's own signer, .*: npm install aws-msk-iam-sasl-signer-js/,
    ],
    [
      { listenTls: { certificateFile: file('c', pair['tls.crt']), keyFile: file('k', 'no'), minVersion: 'TLSv1.2' } },
      /^routes\[0\].listenTls.keyFile: .*k holds no private key/,
    ],
    [
      { upstream: { sasl: { mechanism: 'OAUTHBEARER', tokenFile: file('token', 'no token') } } },
      /^routes\[0\].upstream.sasl.tokenFile: .*token is not a bearer token/,
    ],
    [
      { listenSasl: { mechanisms: ['PLAIN'], credentialsFile: file('no-users') } },
      /^routes\[0\].listenSasl.credentialsFile: .*no-users does not exist$/,
    ],
    [
      { listenSasl: { mechanisms: ['PLAIN'], credentialsFile: users } },
      /users.json users.ann.passwordFile: .*ann does not exist$/,
    ],
  ];
  for (const [wishes, words] of cases) {
    const error: unknown = await identitiesOf(t, wishes).catch((failure: unknown) => failure);
    if (!(error instanceof IdentityError)) return t.fail(`${words}: ${String(error)}`);
    t.match(error.message, words);
  }
});

t.test('the certificate of a listener is another one for the next client once its files were swapped', async (t) => {
  const folder = new MountedFolder(t, { ...pairOf('server'), 'ca.crt': ca.certificate });
  const { identities, told, pass } = await identitiesOf(t, {
    listenTls: {
      certificateFile: folder.file('tls.crt'),
      keyFile: folder.file('tls.key'),
      clientCaFile: folder.file('ca.crt'),
      minVersion: 'TLSv1.2',
    },
  });
  const before = identities.listenTls?.();
  t.equal(before?.requiresCertificate, true);
  t.strictSame(
    identities.certificates().map(({ use }) => use),
    ['listen_server', 'listen_client_ca'],
  );
  const next = pairOf('server');
  folder.swap({ ...next, 'ca.crt': ca.certificate });
  await pass(2000);
  t.equal(identities.listenTls?.().options.cert, next['tls.crt'].trimEnd());
  const words = ['route read: listenTls: clients are received with another certificate from now on'];
  t.strictSame(told, words);
  folder.swap({ ...next, 'ca.crt': ca.certificate });
  await pass(3000);
  t.strictSame(told, words, 'the same files once more are no news');
});

t.test('users are added, changed and removed while the route runs', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'users.json');
  const write = (users: object) => {
    writeFileSync(`${file}.new`, JSON.stringify({ users }));
    renameSync(`${file}.new`, file);
  };
  const secret = join(folder, 'ann.secret');
  writeFileSync(secret, 'upstream 1');
  const sasl = { mechanism: 'SCRAM-SHA-256', username: 'ann-upstream', passwordFile: secret };
  write({ ann: { password: 'a', sasl }, bob: { password: 'b' } });
  const { identities, changed, told, pass, login } = await identitiesOf(t, {
    upstream: { sasl: { mechanism: 'PLAIN', username: 'route', password: new Secret('r') } },
    listenSasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-256'], credentialsFile: file },
  });
  const { users } = identities;
  t.strictSame(users?.mechanisms, ['PLAIN', 'SCRAM-SHA-256']);
  t.equal(users?.find('ann')?.identity, 'ann');
  t.equal(users?.find('bob')?.password.reveal(), 'b');
  t.equal(users?.find('toString'), undefined);
  t.match(login('ann')?.credential(), { username: 'ann-upstream' });
  t.match(login('bob')?.credential(), { username: 'route' }, 'without sasl of its own it is the route for brokers');
  t.equal(identities.first.name, '');
  const bob = login('bob');

  writeFileSync(secret, 'upstream 2');
  await pass(2000);
  t.strictSame(changed.splice(0), ['ann'], 'only the user whose secret has changed');

  write({ ann: { password: 'a', sasl }, bob: { password: 'new' }, eve: { password: 'e' } });
  await pass(2000);
  t.equal(users?.find('bob')?.password.reveal(), 'new');
  t.equal(login('bob'), bob, 'another local password is no other login');
  t.equal(users?.find('eve')?.identity, 'eve');
  t.strictSame(changed.splice(0), []);
  t.strictSame(told.splice(0), [
    'eve read: the user was added',
    'bob read: the password of the user is another one now',
  ]);

  write({ bob: { password: 'new' }, eve: { passwordFile: join(folder, 'none') } });
  await pass(5000);
  t.equal(users?.find('ann'), undefined);
  t.equal(identities.find('ann'), undefined);
  t.strictSame(changed.splice(0), ['ann']);
  t.equal(users?.find('eve')?.password.reveal(), 'e', 'what cannot be read changes nothing');
  t.equal(told.length, 2);
  t.match(told.splice(0), ['ann read: the user was removed', /^eve unreadable: .*none does not exist$/]);
  writeFileSync(join(folder, 'none'), 'found');
  await pass(2000);
  t.equal(users?.find('eve')?.password.reveal(), 'found');
  t.strictSame(told.splice(0), ['eve read: the password of the user is another one now']);

  writeFileSync(file, 'no users');
  await pass(6000);
  t.equal(users?.find('bob')?.password.reveal(), 'new', 'a file that makes no sense changes nothing');
  t.match(told.splice(0), [/^route unreadable: listenSasl.credentialsFile: /]);
});

t.test('where the route is nobody the first user who is somebody learns the topology', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'users.json');
  const user = (name: string) => ({
    password: 'x',
    sasl: { mechanism: 'PLAIN', username: name, password: `secret of ${name}` },
  });
  writeFileSync(file, JSON.stringify({ users: { zoe: { password: 'x' }, ann: user('ann'), bob: user('bob') } }));
  const { identities, login } = await identitiesOf(t, { listenSasl: { mechanisms: ['PLAIN'], credentialsFile: file } });
  t.equal(identities.first.name, 'ann');
  t.equal(login('zoe')?.credential(), null);
  t.not(login('ann')?.fingerprint, login('bob')?.fingerprint);
});

t.test('a token from a file is another login when it is replaced, and is not shown once it has expired', async (t) => {
  const folder = temporaryFolder(t);
  const tokenFile = join(folder, 'token');
  const clock = new ManualClock();
  writeFileSync(tokenFile, endingToken('orders', clock.unixSeconds() + 60));
  const extensions = { logicalCluster: 'lkc-1' };
  const { login, changed, pass } = await identitiesOf(t, {
    upstream: { sasl: { mechanism: 'OAUTHBEARER', tokenFile, extensions } },
  });
  t.match(login()?.credential(), { mechanism: 'OAUTHBEARER', extensions });
  await pass(60_000);
  t.throws(() => login()?.credential(), { message: `${tokenFile} has expired: whoever writes it must renew it` });
  writeFileSync(tokenFile, endingToken('orders', clock.unixSeconds() + 600));
  await pass(2000);
  t.strictSame(changed, ['']);
  t.match(login()?.credential(), { mechanism: 'OAUTHBEARER' });
});

t.test('nothing that is told or thrown holds a secret', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'it');
  writeFileSync(file, 'planted secret');
  const sasl = { mechanism: 'OAUTHBEARER', tokenFile: file } as const;
  const error: unknown = await identitiesOf(t, { upstream: { sasl } }).catch((failure: unknown) => failure);
  t.match(error, { message: /is not a bearer token: it holds other characters$/ });
  t.notMatch(String((error as Error).stack), /planted/);
  writeFileSync(file, 'good');
  const { told, pass, login } = await identitiesOf(t, { upstream: { sasl } });
  writeFileSync(file, 'planted secret');
  await pass(20_000);
  t.match(told, [/unreadable: upstream.sasl: .*it is not a bearer token/]);
  t.notMatch(JSON.stringify([told, login()?.credential()]), /planted|good/);
});
