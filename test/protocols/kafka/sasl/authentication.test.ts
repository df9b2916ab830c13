/** How a connection of ours tells a broker who we are, against a broker's part of SASL written for these tests. */
import fc from 'fast-check';
import t from 'tap';
import { type OwnCredential, Secret } from '../../../../src/contract/credential.ts';
import { answer, apiVersionsBody } from '../answers.ts';
import { ALL_RANGES, type Connection, KafkaBench } from '../kafka-bench.ts';
import { form, i16, i32, join } from '../wire.ts';
import { authenticateAnswer, SaslBroker, type SaslBrokerTraits, TOO_LONG } from './sasl-broker.ts';

const PASSWORDS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const BEARER: OwnCredential = { mechanism: 'OAUTHBEARER', token: new Secret('a.bearer.token'), extensions: {} };

function withPassword(mechanism: (typeof PASSWORDS)[number], password = 'pencil', username = 'app'): OwnCredential {
  return { mechanism, username, password: new Secret(password) };
}

const CREDENTIALS: readonly OwnCredential[] = [...PASSWORDS.map((mechanism) => withPassword(mechanism)), BEARER];
const WRONG: readonly OwnCredential[] = [
  ...PASSWORDS.map((mechanism) => withPassword(mechanism, 'wrong-secret')),
  { ...BEARER, mechanism: 'OAUTHBEARER', token: new Secret('wrong-secret.of.somebody') },
];

/** Dials, and lets both sides talk until neither has anything more to say. */
function dial(
  credential: OwnCredential,
  broker: SaslBroker,
  cuts: (length: number) => number[] = () => [],
): Connection {
  const connection = new KafkaBench().dial();
  let written: Buffer | undefined = connection.session.greeting(credential);
  while (written !== undefined && connection.sink.failure === null) {
    const said = broker.take(written);
    if (said.length === 0) break;
    const before = connection.sink.replies.length;
    connection.read(said, cuts(said.length), 3);
    written = connection.sink.replies.slice(before).at(0);
  }
  return connection;
}

function everywhere(length: number): number[] {
  return Array.from({ length: length - 1 }, (_, index) => index + 1);
}

function rangesUpTo(key: number, max: number): SaslBrokerTraits['ranges'] {
  return ALL_RANGES.flatMap((range) => (range.key !== key ? range : max < 0 ? [] : { ...range, max }));
}

for (const credential of CREDENTIALS) {
  const { mechanism } = credential;

  t.test(`${mechanism}: a connection is ready once the broker knows us and has answered what we ask`, async (t) => {
    for (const newest of [0, 1, 2, 3]) {
      for (const cuts of [() => [], everywhere]) {
        const broker = new SaslBroker({ ranges: rangesUpTo(36, newest) ?? [], lifetime: 60_000 });
        const connection = dial(credential, broker, cuts);
        t.equal(connection.sink.failure, null);
        t.strictSame(connection.sink.facts, ['named', 'ready']);
        t.equal(connection.session.owed, 0);
        t.equal(connection.session.lifetimeMilliseconds, newest >= 1 ? 60_000 : 0);
        t.strictSame(broker.faults, []);
        const versions = broker.requests.filter(({ key }) => key === 36).map(({ version }) => version);
        t.ok(versions.every((version) => version === Math.min(newest, 2)));
        t.equal(connection.sink.all().length, 0);
      }
    }
  });

  t.test(`${mechanism}: one request at a time, and nothing but the exchange before it is complete`, async (t) => {
    const broker = new SaslBroker();
    const connection = new KafkaBench().dial();
    let written = connection.session.greeting(credential);
    while (!broker.authenticated && written !== undefined) {
      const before = broker.requests.length;
      const said = broker.take(written);
      t.equal(broker.requests.length - before, 1);
      t.equal(connection.session.owed, 1);
      connection.read(said);
      written = connection.sink.replies.at(-1);
    }
    t.strictSame(
      broker.requests.slice(0, 3).map(({ key, version }) => `${key} v${version}`),
      ['18 v0', '17 v1', '36 v2'],
    );
    t.ok(broker.requests.every(({ id }) => id < 0));
    t.equal(new Set(broker.requests.map(({ id }) => id)).size, broker.requests.length);
    t.strictSame(broker.faults, []);
  });
}

for (const credential of WRONG) {
  const { mechanism } = credential;

  t.test(
    `${mechanism}: a credential that the broker refuses fails the dial, in the broker's words and not in ours`,
    async (t) => {
      const refusal = `Authentication\nfailed for wrong-secret ${'very '.repeat(500)}`;
      const broker = new SaslBroker({ refusal });
      const { sink } = dial(credential, broker, everywhere);
      t.equal(sink.failure?.reason, 'dial_failed');
      t.equal(sink.failure?.failure, 'authentication_failed');
      t.match(sink.failure?.detail, 'Authentication failed for [secret]');
      t.match(sink.failure?.detail, mechanism);
      t.notMatch(sink.failure?.detail, 'wrong-secret');
      t.ok((sink.failure?.detail.length ?? 0) < 500);
      t.notOk(sink.facts.includes('ready'));
      t.strictSame(broker.faults, []);
    },
  );
}

t.test('what a broker has against a token is told with its error', async (t) => {
  const broker = new SaslBroker();
  const { sink } = dial({ ...BEARER, mechanism: 'OAUTHBEARER', token: new Secret('x') }, broker);
  t.match(sink.failure?.detail, 'invalid_token');
  t.strictSame(broker.tokens.at(-1), Buffer.from('\x01'));
});

t.test('a broker that does not prove that it knows the password is no broker of ours', async (t) => {
  const spoil = (message: string): string => message.replace(/^v=.{4}/, 'v=AAAA');
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    const { sink } = dial(withPassword(mechanism), new SaslBroker({ spoil }));
    t.equal(sink.failure?.failure, 'authentication_failed');
    t.match(sink.failure?.detail, /does not prove/);
    t.notOk(sink.facts.includes('ready'));
  }
});

t.test('a broker that takes a mechanism to be over before it is, is not believed', async (t) => {
  const connection = new KafkaBench().dial();
  const broker = new SaslBroker();
  let written = connection.session.greeting(withPassword('SCRAM-SHA-256'));
  for (let step = 0; step < 2; step += 1) {
    connection.read(broker.take(written ?? Buffer.alloc(0)));
    written = connection.sink.replies.at(-1);
  }
  connection.read(authenticateAnswer(written?.readInt32BE(8) ?? 0, 0, Buffer.alloc(0)));
  t.equal(connection.sink.failure?.reason, 'protocol_error');
  t.notOk(connection.sink.facts.includes('ready'));
});

t.test('a mechanism that the broker does not offer is told with those that it offers', async (t) => {
  const { sink } = dial(withPassword('SCRAM-SHA-512'), new SaslBroker({ mechanisms: ['GSSAPI', 'PLAIN'] }));
  t.equal(sink.failure?.reason, 'dial_failed');
  t.equal(sink.failure?.failure, 'mechanism_unsupported');
  t.equal(sink.failure?.detail, 'the broker does not offer SCRAM-SHA-512; it offers GSSAPI, PLAIN');
});

t.test('brokers that cannot do this, or not on this port, are told so', async (t) => {
  const cases: readonly (readonly [SaslBrokerTraits, RegExp])[] = [
    [{ ranges: rangesUpTo(17, 0) ?? [] }, /too old/],
    [{ ranges: rangesUpTo(17, -1) ?? [] }, /too old/],
    [{ ranges: rangesUpTo(36, -1) ?? [] }, /too old/],
    [{ handshakeError: 34 }, /takes no SASL on this port/],
  ];
  for (const [traits, detail] of cases) {
    const { sink } = dial(withPassword('PLAIN'), new SaslBroker(traits));
    t.equal(sink.failure?.failure, 'mechanism_unsupported');
    t.match(sink.failure?.detail, detail);
  }
  const other = dial(withPassword('PLAIN'), new SaslBroker({ handshakeError: 42 }));
  t.equal(other.sink.failure?.failure, 'authentication_failed');
});

t.test('what cannot be put into a token is not sent', async (t) => {
  const wrong: readonly OwnCredential[] = [
    withPassword('PLAIN', 'a\0b'),
    withPassword('PLAIN', 'pencil', 'a\0b'),
    { mechanism: 'OAUTHBEARER', token: new Secret('a\x01b'), extensions: {} },
    { mechanism: 'OAUTHBEARER', token: new Secret(''), extensions: {} },
    { ...BEARER, mechanism: 'OAUTHBEARER', token: new Secret('t'), extensions: { auth: 'x' } },
    { ...BEARER, mechanism: 'OAUTHBEARER', token: new Secret('t'), extensions: { 'a=b': 'x' } },
    { ...BEARER, mechanism: 'OAUTHBEARER', token: new Secret('t'), extensions: { a: 'x\x01y' } },
  ];
  for (const credential of wrong) {
    const broker = new SaslBroker();
    const { sink } = dial(credential, broker);
    t.equal(sink.failure?.failure, 'authentication_failed');
    t.equal(broker.tokens.length, 0);
  }
});

t.test('extensions go with the token', async (t) => {
  const broker = new SaslBroker();
  const extensions = { logicalCluster: 'lkc-1', identityPoolId: 'pool-2' };
  dial({ mechanism: 'OAUTHBEARER', token: new Secret('a.bearer.token'), extensions }, broker);
  const [token] = broker.tokens;
  t.equal(
    token?.toString(),
    'n,,\x01auth=Bearer a.bearer.token\x01logicalCluster=lkc-1\x01identityPoolId=pool-2\x01\x01',
  );
  t.ok(broker.authenticated);
});

t.test('long tokens and names pass in every version', async (t) => {
  for (const newest of [0, 1, 2]) {
    const password = 'p'.repeat(3000);
    const broker = new SaslBroker({ password, ranges: rangesUpTo(36, newest) ?? [] });
    t.ok(dial(withPassword('PLAIN', password), broker).sink.facts.includes('ready'));
  }
});

t.test('answers that nobody asked for, or that are none, end the dial', async (t) => {
  const first = answer(18, 0, -2_000_000_000, apiVersionsBody(0, ALL_RANGES));
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.concat([first, first]), 'wrong_correlation_id'],
    [join(TOO_LONG, i32(-2_000_000_000)), 'protocol_error'],
    [join(i32(-1), i32(0)), 'protocol_error'],
    [answer(18, 0, 7, apiVersionsBody(0, ALL_RANGES)), 'wrong_correlation_id'],
    [first.subarray(0, 4).fill(0), 'protocol_error'],
    [join(first, answer(17, 1, -1_999_999_999, join(i16(0), i32(1000)))), 'protocol_error'],
    [join(first, answer(17, 1, -1_999_999_999, join(i16(33), form(false).array([i16(-3)])))), 'protocol_error'],
  ];
  for (const [bytes, reason] of cases) {
    const connection = new KafkaBench().dial();
    connection.session.greeting(withPassword('PLAIN'));
    connection.read(Buffer.concat([bytes, Buffer.alloc(20)]), [5]);
    t.equal(connection.sink.failure?.reason, reason);
    t.notOk(connection.sink.facts.includes('ready'));
  }
});

t.test(
  'whatever a broker says, nothing throws, nothing of the secret is told, and nobody is ready who was not let in',
  async () => {
    const credentials = fc.constantFrom(...CREDENTIALS);
    const bytes = fc.uint8Array({ maxLength: 80 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(
        credentials,
        fc.nat(4),
        bytes,
        fc.nat(),
        fc.array(fc.nat(200), { maxLength: 5 }),
        (who, step, garbage, at, cuts) => {
          const broker = new SaslBroker();
          const connection = new KafkaBench().dial();
          let written = connection.session.greeting(who);
          for (let round = 0; written !== undefined && connection.sink.failure === null; round += 1) {
            let said = broker.take(written);
            if (said.length === 0) break;
            if (round === step) garbage.copy(said, at % said.length);
            const ends = [...new Set(cuts.filter((cut) => cut < said.length))].sort((a, b) => a - b);
            const before = connection.sink.replies.length;
            for (const piece of [0, ...ends].map((from, index) => said.subarray(from, ends[index])))
              if (connection.sink.failure === null && piece.length > 0) connection.read(piece);
            said = Buffer.alloc(0);
            written = connection.sink.replies.slice(before).at(0);
          }
          const { failure, facts } = connection.sink;
          const secret = 'password' in who ? who.password.reveal() : who.token.reveal();
          if (failure?.detail.includes(secret)) return false;
          return !facts.includes('ready') || broker.authenticated;
        },
      ),
      { numRuns: 700 },
    );
  },
);
