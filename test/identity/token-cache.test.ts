import t from 'tap';
import { Secret } from '../../src/contract/credential.ts';
import { LoginError } from '../../src/core/login.ts';
import type { FetchedToken } from '../../src/identity/token.ts';
import { TokenCache } from '../../src/identity/token-cache.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Wishes {
  readonly random?: number;
  readonly lifeMilliseconds?: number | null;
}

function cacheOf({ random = 0, lifeMilliseconds = 100_000 }: Wishes = {}) {
  const clock = new ManualClock();
  const given: string[] = [];
  const state = { fails: false, lifeMilliseconds };
  const cache = new TokenCache({
    clock,
    random: () => random,
    origin: 'the desk',
    fetch: async (): Promise<FetchedToken> => {
      given.push(`token-${given.length + 1}`);
      if (state.fails) throw new LoginError('the desk is shut');
      return { token: new Secret(given.at(-1) ?? ''), lifeMilliseconds: state.lifeMilliseconds };
    },
  });
  return { clock, given, state, token: async () => (await cache.token()).reveal(), cache };
}

t.test('a token at hand is given at once, and nobody is asked', async (t) => {
  const { cache, token, given, clock } = cacheOf();
  t.equal(await token(), 'token-1');
  clock.advance(79_999);
  const again = cache.token();
  t.ok(again instanceof Secret, 'not even a promise');
  t.equal(given.length, 1);
});

t.test('those who ask at the same time share one request', async (t) => {
  const { token, given } = cacheOf();
  t.strictSame(await Promise.all([token(), token(), token()]), ['token-1', 'token-1', 'token-1']);
  t.equal(given.length, 1);
});

t.test('the next dial behind 80 to 90 % of its life fetches another one', async (t) => {
  for (const [random, share] of [
    [0, 80_000],
    [0.5, 85_000],
    [0.99, 89_900],
  ] as const) {
    const { token, given, clock } = cacheOf({ random });
    await token();
    clock.advance(share - 1);
    t.equal(await token(), 'token-1');
    clock.advance(2);
    t.equal(await token(), 'token-2');
    t.equal(given.length, 2);
  }
});

t.test('while nobody dials no token is fetched, whatever time passes', async (t) => {
  const { token, given, clock } = cacheOf();
  await token();
  clock.advance(3_600_000);
  t.equal(given.length, 1);
  t.equal(clock.timers, 0);
});

t.test('a token whose renewal fails is good until its end, and never behind it', async (t) => {
  const { token, clock, state, given } = cacheOf();
  await token();
  state.fails = true;
  clock.advance(80_000);
  t.equal(await token(), 'token-1');
  t.equal(await token(), 'token-1');
  t.equal(given.length, 2, 'and the desk is left alone for a while');
  clock.advance(17_999);
  t.equal(await token(), 'token-1');
  clock.advance(1);
  await t.rejects(token(), { message: 'the desk is shut' });
  state.fails = false;
  clock.advance(60_000);
  t.match(await token(), /^token-\d+$/);
});

t.test('a token of unknown life is used for those who asked for it and not kept', async (t) => {
  const { token } = cacheOf({ lifeMilliseconds: null });
  t.strictSame(await Promise.all([token(), token()]), ['token-1', 'token-1']);
  t.equal(await token(), 'token-2');
});

t.test('a token that has expired already is not used', async (t) => {
  for (const lifeMilliseconds of [0, -5000, 2000]) {
    const { token } = cacheOf({ lifeMilliseconds });
    await t.rejects(token(), { message: 'the desk has given a token that has expired: compare the clocks' });
  }
});

t.test('pauses after failures grow up to a minute and end with the first token', async (t) => {
  const { token, clock, state, given } = cacheOf({ random: 0.999 });
  state.fails = true;
  for (let failure = 1; failure <= 12; failure += 1) {
    await t.rejects(token());
    t.equal(given.length, failure, 'a minute is always enough');
    const pause = Math.min(60_000, 1000 * 2 ** (failure - 1));
    clock.advance(pause * 0.99);
    await t.rejects(token());
    t.equal(given.length, failure, `less than ${pause} ms is not`);
    clock.advance(pause * 0.01);
  }
  state.fails = false;
  t.match(await token(), /^token-/);
  state.fails = true;
  clock.advance(100_000);
  await t.rejects(token());
  clock.advance(1000);
  state.fails = false;
  t.match(await token(), /^token-/, 'the next failure begins with a second again');
});
