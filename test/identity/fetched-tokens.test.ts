import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { Login } from '../../src/core/login.ts';
import { FileWatch } from '../../src/identity/file-watch.ts';
import { openIdentities } from '../../src/identity/open.ts';
import type { SaslOptions } from '../../src/identity/options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MountedFolder } from '../support/mounted-folder.ts';

async function identitiesOf(t: Test, sasl: SaslOptions, signer: unknown = {}) {
  const clock = new ManualClock();
  const watch = new FileWatch(clock);
  t.teardown(() => watch.close());
  const identities = await openIdentities(
    { name: 'orders', upstream: { tls: null, sasl }, listenTls: null, listenSasl: null },
    {
      watch,
      random: () => 0.5,
      load: async () => signer,
      key: 'routes[0]',
      parseUsers: () => ({ users: {} }),
      told: () => undefined,
    },
  );
  const pass = async (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 250) {
      clock.advance(250);
      await watch.settled();
    }
  };
  return { identities, clock, pass, login: () => identities.first.login };
}

async function tokenOf(login: Login): Promise<string> {
  const credential = await login.credential();
  return credential?.mechanism === 'OAUTHBEARER' ? credential.token.reveal() : '';
}

t.test('a token that is fetched anew belongs to the same login, and another client secret to another', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    asked.push(Buffer.from(String(request.headers.authorization).slice(6), 'base64').toString());
    response.end(JSON.stringify({ access_token: `token-${asked.length}`, token_type: 'bearer', expires_in: 100 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const folder = new MountedFolder(t, { secret: 'one\n' });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const { login, clock, pass } = await identitiesOf(t, {
    mechanism: 'OAUTHBEARER',
    tokenEndpoint: { url, clientId: 'app', clientSecretFile: folder.file('secret') },
    extensions: { logicalCluster: 'lkc-1' },
  });
  t.strictSame(asked, [], 'nobody is asked before somebody dials');
  const first = login();
  t.strictSame(await Promise.all([tokenOf(first), tokenOf(first)]), ['token-1', 'token-1']);
  clock.advance(90_000);
  t.equal(await tokenOf(login()), 'token-2');
  t.equal(login(), first);
  folder.swap({ secret: 'one\n' });
  await pass(2000);
  t.equal(login(), first, 'the same secret keeps the token, too');
  t.equal(await tokenOf(login()), 'token-2');
  folder.swap({ secret: 'two\n' });
  await pass(2000);
  t.not(login().fingerprint, first.fingerprint);
  t.equal(await tokenOf(login()), 'token-3');
  t.strictSame(asked, ['app:one', 'app:one', 'app:two']);
});

t.test('tokens of the AWS signer are kept until shortly before they expire', async (t) => {
  let signed = 0;
  const clock = new ManualClock();
  const expiryTime = (clock.unixSeconds() + 900) * 1000;
  const give = async (options: object) => {
    signed += 1;
    return { token: Buffer.from(JSON.stringify({ signed, ...options })).toString('base64url'), expiryTime };
  };
  const signer = { generateAuthToken: give, generateAuthTokenFromProfile: give, generateAuthTokenFromRole: give };
  const identities = await identitiesOf(t, { mechanism: 'AWS_MSK_IAM', region: 'eu-west-1', profile: 'prod' }, signer);
  const { login } = identities;
  const token = async (): Promise<unknown> => JSON.parse(Buffer.from(await tokenOf(login()), 'base64url').toString());
  t.strictSame(await token(), { signed: 1, region: 'eu-west-1', awsProfileName: 'prod' });
  identities.clock.advance(900 * 850 - 1);
  t.match(await token(), { signed: 1 });
  t.equal(signed, 1);
  identities.clock.advance(2);
  t.match(await token(), { signed: 2 });
});
