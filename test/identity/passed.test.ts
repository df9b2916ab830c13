import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { type Credential, Secret } from '../../src/contract/credential.ts';
import type { LoginSource } from '../../src/core/login.ts';
import { FileWatch } from '../../src/identity/file-watch.ts';
import { openIdentities } from '../../src/identity/open.ts';
import { PassedIdentities } from '../../src/identity/passed.ts';
import { authority } from '../support/certificates.ts';
import { endingToken } from '../support/ending-token.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/mounted-folder.ts';

function shows(data: string, method = 'token'): Credential {
  return { mechanism: 'PASSED', method, data: new Secret(data) };
}

/** @param caFile connections are secured, by whom it says */
async function passedOf(t: Test, caFile?: string) {
  const clock = new ManualClock();
  const watch = new FileWatch(clock);
  t.teardown(() => watch.close());
  const tls = caFile === undefined ? null : ({ caFile, minVersion: 'TLSv1.2', rejectUnauthorized: true } as const);
  const base = await openIdentities(
    { name: 'orders', listenTls: null, listenSasl: null, upstream: { tls, sasl: null } },
    {
      watch,
      key: 'routes[0]',
      parseUsers: () => ({ users: {} }),
      told: () => undefined,
    },
  );
  const passed = new PassedIdentities(base, clock);
  const changed: (readonly [string, boolean])[] = [];
  passed.onChange((name) => changed.push([name, passed.find(name) !== undefined]));
  const pass = async (): Promise<void> => {
    for (let left = 3000; left > 0; left -= 250) {
      clock.advance(250);
      await watch.settled();
    }
  };
  return { passed, clock, changed, pass };
}

/** Two secrets look the same to an assertion. */
async function shownBy(source: LoginSource | undefined): Promise<string | null> {
  const credential = (await source?.login.credential()) ?? null;
  return credential?.mechanism === 'PASSED' ? credential.data.reveal() : null;
}

/** Whatever was to happen once the present call was over has happened. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('clients that show the same are one identity, and others are others', async (t) => {
  const { passed } = await passedOf(t);
  const name = passed.hold(shows('planted'));
  t.equal(passed.hold(shows('planted')), name);
  t.not(passed.hold(shows('another')), name);
  t.not(passed.hold(shows('planted', 'basic')), name);
  t.not(passed.hold(shows('edplant', 'tok')), passed.hold(shows('plant', 'token')));
  t.equal(await shownBy(passed.find(name)), 'planted');
  t.equal(passed.first.name, '', 'who looks whether brokers can be reached is nobody');
  t.equal(await passed.first.login.credential(), null);
});

t.test('neither the name nor the login tells the secret', async (t) => {
  const { passed } = await passedOf(t);
  const name = passed.hold(shows('planted'));
  t.match(name, /^token-[0-9a-f]{16}$/);
  t.match(passed.hold(shows('planted', 'what a client\nsays')), /^passed-[0-9a-f]{16}$/);
  t.notMatch(inspect([passed, passed.find(name), name], { depth: 9 }), 'planted');
  t.notMatch(JSON.stringify([name, passed.find(name)]), 'planted');
});

t.test('an identity ends once it was let go of as often as it was held', async (t) => {
  const { passed, changed } = await passedOf(t);
  const name = passed.hold(shows('a'));
  passed.hold(shows('a'));
  passed.letGo(name);
  await turn();
  t.ok(passed.find(name));
  t.strictSame(changed, []);
  passed.letGo(name);
  t.strictSame(changed, [], 'whoever let go is not disturbed');
  await turn();
  t.equal(passed.find(name), undefined);
  t.strictSame(changed, [[name, false]]);
  t.throws(() => passed.letGo(name), /nobody holds/);
  t.throws(() => passed.renew(name, shows('b')), /nobody holds/);
});

t.test('an identity does not end if the next client shows the same at once', async (t) => {
  const { passed, changed } = await passedOf(t);
  const name = passed.hold(shows('a'));
  const source = passed.find(name);
  passed.letGo(name);
  t.throws(() => passed.letGo(name), /nobody holds/);
  t.equal(passed.hold(shows('a')), name);
  await turn();
  t.equal(passed.find(name), source);
  t.strictSame(changed, []);
});

t.test('a renewed credential is shown from then on, and open connections stay what they are', async (t) => {
  const { passed, changed } = await passedOf(t);
  const name = passed.hold(shows('old'));
  const before = passed.find(name)?.login;
  passed.renew(name, shows('new'));
  await turn();
  t.equal(await shownBy(passed.find(name)), 'new');
  t.equal(passed.find(name)?.login.fingerprint, before?.fingerprint);
  t.strictSame(changed, []);
  t.not(passed.hold(shows('new')), name, 'who shows it for the first time has proven nothing yet');
});

t.test('authorities that are replaced make new logins of all that clients show', async (t) => {
  const caFile = join(temporaryFolder(t), 'ca.pem');
  writeFileSync(caFile, authority('one').certificate);
  const { passed, changed, pass } = await passedOf(t, caFile);
  const name = passed.hold(shows('a'));
  const before = passed.find(name)?.login;
  t.ok(before?.tls);
  writeFileSync(caFile, authority('two').certificate);
  await pass();
  t.strictSame(changed, [
    ['', true],
    [name, true],
  ]);
  t.not(passed.find(name)?.login.fingerprint, before?.fingerprint);
  t.equal(await shownBy(passed.find(name)), 'a');
});

t.test('who shows what was renewed since has proven nothing by that, and is another one', async (t) => {
  const { passed } = await passedOf(t);
  const token = (number: number): string => endingToken('orders', 2_000_000_000 + number);
  const [old, renewed, newer] = [token(1), token(2), token(3)];
  const name = passed.hold(shows(old));
  passed.renew(name, shows(old));
  t.equal(passed.hold(shows(old)), name, 'it is what it was');
  passed.renew(name, shows(renewed));
  const late = passed.hold(shows(old));
  t.not(late, name, 'it may be void by now');
  t.equal(await shownBy(passed.find(late)), old, 'brokers are shown what it showed');
  t.equal(await shownBy(passed.find(name)), renewed);
  t.equal(passed.hold(shows(old)), late);
  passed.renew(late, shows(newer));
  t.equal(await shownBy(passed.find(passed.hold(shows(old)))), old);
});

t.test('the end of what is shown now is told, as long as somebody holds it', async (t) => {
  const { passed, clock } = await passedOf(t);
  const ended: string[] = [];
  passed.onEnded((name) => ended.push(name));
  const ending = (seconds: number): Credential => shows(endingToken('orders', clock.unixSeconds() + seconds));
  const name = passed.hold(ending(100));
  clock.advance(50_000);
  passed.renew(name, ending(100));
  clock.advance(99_000);
  t.strictSame(ended, [], 'the one before has ended');
  clock.advance(1000);
  t.strictSame(ended, [name]);
  passed.letGo(name);
  await turn();
  clock.advance(600_000);
  t.strictSame(ended, [name]);
});

t.test('what may be somebody else’s is not taken over from one for others', async (t) => {
  const { passed } = await passedOf(t);
  const end = 2_000_000_000;
  const name = passed.hold(shows(endingToken('alice', end)));
  passed.hold(shows(endingToken('alice', end)));
  const isTaken = async (data: string, method?: string): Promise<boolean> => {
    passed.renew(name, shows(data, method));
    return (await shownBy(passed.find(name))) === data;
  };
  t.notOk(await isTaken(endingToken('bob', end)));
  t.notOk(await isTaken('opaque'));
  t.notOk(await isTaken('a.b.c'));
  t.ok(await isTaken(endingToken('alice', end + 1)));
  t.notOk(await isTaken(endingToken('alice', end + 2), 'other'));
  t.ok(await isTaken(endingToken('alice', end + 3)));
  passed.letGo(name);
  t.ok(await isTaken(endingToken('bob', end)), 'it is only its own');
});
