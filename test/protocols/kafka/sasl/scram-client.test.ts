import t from 'tap';
import { Secret } from '../../../../src/contract/credential.ts';
import { MalformedError } from '../../../../src/protocols/kafka/cursor.ts';
import { RefusedError } from '../../../../src/protocols/kafka/sasl/mechanism.ts';
import { newNonce, type ScramMechanism } from '../../../../src/protocols/kafka/sasl/scram.ts';
import { ScramClient } from '../../../../src/protocols/kafka/sasl/scram-client.ts';
import { ScramKeyCache } from '../../../../src/protocols/kafka/sasl/scram-keys.ts';

const REFUSED = { name: 'RefusedError' };
const MALFORMED = { code: 'MALFORMED' };
const NONCE = 'rOprNGfwEbeRWgbNEkqO';

interface Vector {
  readonly mechanism: ScramMechanism;
  readonly serverFirst: string;
  readonly clientFinal: string;
  readonly serverFinal: string;
}

/** RFC 7677, section 3; and the same exchange with SHA-512, as other implementations of SCRAM test theirs. */
const VECTORS: readonly Vector[] = [
  {
    mechanism: 'SCRAM-SHA-256',
    serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
  {
    mechanism: 'SCRAM-SHA-512',
    serverFirst:
      'r=rOprNGfwEbeRWgbNEkqO02431b08-2f89-4bad-a4e6-80c0564ec865,s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO02431b08-2f89-4bad-a4e6-80c0564ec865,p=Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4ghn1tnXN5/Wr6qm9xmaHt4A==',
    serverFinal: 'v=BQuhnKHqYDwQWS5jAw4sZed+C9KFUALsbrq81bB0mh+bcUUbbMPNNmBIupnS2AmyyDnG5CTBQtkjJ9kyY4kzmw==',
  },
];

function clientOf({ mechanism }: Pick<Vector, 'mechanism'>, username = 'user', password = 'pencil'): ScramClient {
  return new ScramClient(mechanism, username, new Secret(password), new ScramKeyCache(), NONCE);
}

function next(client: ScramClient, message: string): string | null {
  return client.next(Buffer.from(message))?.toString() ?? null;
}

for (const vector of VECTORS) {
  const { mechanism, serverFirst, clientFinal, serverFinal } = vector;

  t.test(`${mechanism}: the exchange is the one that is published`, async (t) => {
    const client = clientOf(vector);
    t.equal(client.first().toString(), `n,,n=user,r=${NONCE}`);
    t.equal(next(client, serverFirst), clientFinal);
    t.equal(next(client, serverFinal), null);
  });

  t.test(`${mechanism}: a broker that does not know the password is not believed`, async (t) => {
    for (const spoilt of [
      serverFinal.replace(/=.{4}/, '=AAAA'),
      'v=AAAA',
      `v=${Buffer.alloc(64).toString('base64')}`,
    ]) {
      const client = clientOf(vector);
      client.first();
      next(client, serverFirst);
      t.throws(() => next(client, spoilt), { name: 'RefusedError', failure: 'authentication_failed' }, spoilt);
    }
  });

  t.test(`${mechanism}: no byte of the broker's first message can be changed unseen`, async (t) => {
    for (let index = 0; index < serverFirst.length; index += 1) {
      const spoilt = `${serverFirst.slice(0, index)}#${serverFirst.slice(index + 1)}`;
      const client = clientOf(vector);
      client.first();
      try {
        t.not(next(client, spoilt), clientFinal);
        t.throws(() => next(client, serverFinal), REFUSED);
      } catch (error) {
        t.ok(error instanceof RefusedError || error instanceof MalformedError, `byte ${index}: ${error}`);
      }
    }
  });
}

t.test('a nonce that is not ours, or to which nothing was added, ends the exchange', async (t) => {
  for (const nonce of ['other', NONCE, NONCE.slice(0, -1), `x${NONCE}`]) {
    const client = clientOf({ mechanism: 'SCRAM-SHA-256' });
    client.first();
    t.throws(() => next(client, `r=${nonce},s=c2FsdA==,i=4096`), REFUSED, nonce);
  }
});

t.test('iterations are neither too few to be safe nor so many that they stop the process', async (t) => {
  for (const [iterations, error] of [
    [4095, REFUSED],
    [1, REFUSED],
    [1_000_001, REFUSED],
    [999_999_999, REFUSED],
    ['0x1000', MALFORMED],
    ['4096 ', MALFORMED],
    ['-4096', MALFORMED],
    ['1e4', MALFORMED],
    ['', MALFORMED],
    ['99999999999999999999', MALFORMED],
  ] as const) {
    const client = clientOf({ mechanism: 'SCRAM-SHA-256' });
    client.first();
    t.throws(() => next(client, `r=${NONCE}more,s=c2FsdA==,i=${iterations}`), error, `i=${iterations}`);
  }
  const client = clientOf({ mechanism: 'SCRAM-SHA-256' });
  client.first();
  t.ok(next(client, `r=${NONCE}more,s=c2FsdA==,i=4096,x=an extension`), 'what follows is none of our business');
});

t.test('messages that do not follow the grammar are malformed', async (t) => {
  for (const message of [
    '',
    'r=',
    `r=${NONCE}more`,
    `r=${NONCE}more,s=,i=4096`,
    `r=${NONCE}more,s=not base64,i=4096`,
    `s=c2FsdA==,r=${NONCE}more,i=4096`,
    `m=must be understood,r=${NONCE}more,s=c2FsdA==,i=4096`,
    `r=${NONCE}more,s=c2FsdA==,i=4096${',x=y'.repeat(2000)}`,
  ]) {
    const client = clientOf({ mechanism: 'SCRAM-SHA-256' });
    client.first();
    t.throws(() => next(client, message), MALFORMED, message.slice(0, 60));
  }
});

t.test('an error of the broker is told in its words', async (t) => {
  const client = clientOf({ mechanism: 'SCRAM-SHA-256' });
  client.first();
  t.throws(() => next(client, 'e=unknown-user'), { name: 'RefusedError', message: /unknown-user/ });
});

t.test('user names are escaped, and passwords are taken as they are', async (t) => {
  t.equal(clientOf({ mechanism: 'SCRAM-SHA-256' }, 'a=b,c').first().toString(), `n,,n=a=3Db=2Cc,r=${NONCE}`);
  const proofs = ['I\u00adX', 'IX', '\u2168'].map((password) => {
    const client = clientOf({ mechanism: 'SCRAM-SHA-256' }, 'user', password);
    client.first();
    return next(client, `r=${NONCE}more,s=c2FsdA==,i=4096`);
  });
  t.equal(new Set(proofs).size, 3, 'SASLprep would make them one');
});

t.test('no two exchanges have one nonce', async (t) => {
  const nonces = Array.from({ length: 1000 }, newNonce);
  t.equal(new Set(nonces).size, 1000);
  for (const nonce of nonces) t.match(nonce, /^[A-Za-z0-9+/]{24}$/);
});

t.test('keys are derived once for a password, a salt and a number of iterations', async (t) => {
  const cache = new ScramKeyCache();
  const password = new Secret('pencil');
  const salt = Buffer.from('salt');
  t.equal(cache.find('SCRAM-SHA-256', password, salt, 4096), undefined);
  const keys = cache.derive('SCRAM-SHA-256', password, salt, 4096);
  t.equal(cache.derive('SCRAM-SHA-256', password, Buffer.from('salt'), 4096), keys);
  const others = [
    cache.derive('SCRAM-SHA-512', password, salt, 4096),
    cache.derive('SCRAM-SHA-256', new Secret('other'), salt, 4096),
    cache.derive('SCRAM-SHA-256', password, Buffer.from('tlas'), 4096),
    cache.derive('SCRAM-SHA-256', password, salt, 4097),
  ];
  for (const other of others) t.notOk(other.clientKey.equals(keys.clientKey));
  cache.derive('SCRAM-SHA-256', password, Buffer.from('another'), 4096);
  t.equal(cache.find('SCRAM-SHA-256', password, salt, 4096), undefined, 'of many salts the last ones are kept');
});
