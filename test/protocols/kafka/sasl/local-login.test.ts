/** The sidecar plays the broker's part of SASL for its clients. */
import fc from 'fast-check';
import t from 'tap';
import { Demand, Verdict } from '../../../../src/contract/protocol.ts';
import { KafkaBench } from '../kafka-bench.ts';
import { anyRequest, apiVersionsRequest, metadataRequest, produceRequest, request } from '../requests.ts';
import { frame, i32, join } from '../wire.ts';
import {
  authenticate,
  authenticateBare,
  authenticateRequest,
  handshakeRequest,
  heardHandshake,
  heardToken,
  MECHANISMS,
  say,
  tokensOf,
  UserTable,
} from './sasl-application.ts';

const PASSWORDS = { alice: 'local-secret', 'b=o,b': 'pässword' };

function benchWith(users = new UserTable(PASSWORDS)): KafkaBench {
  const bench = new KafkaBench({ users });
  bench.connect();
  return bench;
}

for (const mechanism of MECHANISMS) {
  t.test(`${mechanism}: a user with its password is known, and its requests go to its identity`, async (t) => {
    for (const [username, password] of Object.entries(PASSWORDS)) {
      for (const version of [0, 1, 2]) {
        const client = benchWith().client();
        t.equal(client.identity, '');
        t.equal(authenticate(client, mechanism, username, password, version), 'known');
        t.equal(client.identity, username);
        t.equal(say(client, metadataRequest(9, 3)).verdict, Verdict.forward);
        t.equal(client.demand, Demand.pool);
        t.equal(client.pinned, false);
      }
      const bare = benchWith().client();
      t.equal(authenticateBare(bare, mechanism, username, password), 'known');
      t.equal(bare.identity, username);
      t.equal(say(bare, metadataRequest(9, 3)).verdict, Verdict.forward);
    }
  });

  t.test(`${mechanism}: whoever is refused hears the same, whoever he said he was, and goes`, async (t) => {
    for (const version of [0, 1, 2]) {
      const heard = ['alice', 'nobody', 'b=o,b', '__proto__'].map((username) => {
        const client = benchWith().client();
        const outcome = authenticate(client, mechanism, username, 'wrong', version);
        t.equal(client.closeReason, 'authentication_failed');
        t.match(client.closeDetail, `"${username}"`);
        t.notMatch(client.closeDetail, 'wrong');
        t.equal(client.identity, '');
        return outcome;
      });
      t.match(heard[0], { error: 58, message: /^Authentication failed/, token: Buffer.alloc(0) });
      for (const each of heard) t.strictSame(each, heard[0]);
    }
    t.equal(authenticateBare(benchWith().client(), mechanism, 'alice', 'wrong'), null);
    t.equal(authenticateBare(benchWith().client(), mechanism, 'nobody', 'wrong'), null);
  });
}

t.test('until it is known a client may ask for versions and authenticate itself, and nothing else', async (t) => {
  for (const before of [[], [handshakeRequest(1, 1, 'PLAIN')], [handshakeRequest(1, 1, 'SCRAM-SHA-256')]]) {
    for (const wrong of [
      metadataRequest(9, 3),
      produceRequest(9, 3, { acks: 0 }),
      anyRequest(500, 0, 3),
      anyRequest(4, 0, 3),
    ]) {
      const client = benchWith().client();
      for (const bytes of before) say(client, bytes);
      t.equal(client.inspect(wrong, 0, wrong.length, true, false), Verdict.close);
      t.equal(client.closeReason, 'refused_api');
      t.ok(client.closeDetail.length > 20);
    }
    const client = benchWith().client();
    for (const bytes of [...before, apiVersionsRequest(0, 7), apiVersionsRequest(4, 8), apiVersionsRequest(99, 9)])
      t.equal(say(client, bytes).verdict, Verdict.answer, 'as often as it likes, before and behind the handshake');
  }
});

t.test('a mechanism that is not offered is answered with those that are, and the connection ends', async (t) => {
  for (const version of [0, 1]) {
    for (const mechanism of ['GSSAPI', 'OAUTHBEARER', '', 'plain', 'pass-word', 'PLAIN']) {
      const client = benchWith(new UserTable(PASSWORDS, ['SCRAM-SHA-256', 'SCRAM-SHA-512'])).client();
      const { verdict, heard } = say(client, handshakeRequest(version, 5, mechanism));
      t.equal(verdict, Verdict.dismiss);
      t.equal(heardHandshake(heard), '33 SCRAM-SHA-256 SCRAM-SHA-512');
      t.equal(heard?.readInt32BE(4), 5);
      t.equal(client.closeReason, 'authentication_failed');
      const isName = /^[A-Z]/.test(mechanism);
      t.match(client.closeDetail, isName ? `mechanism ${mechanism};` : 'of a name that no mechanism has');
    }
  }
  t.equal(
    heardHandshake(say(benchWith().client(), handshakeRequest(1, 1, 'PLAIN')).heard),
    `0 ${MECHANISMS.join(' ')}`,
  );
});

t.test('nobody acts for somebody else', async (t) => {
  const tokens = ['alice\0alice\0local-secret', 'b=o,b\0alice\0local-secret'];
  const verdicts = tokens.map((token) => {
    const client = benchWith().client();
    say(client, handshakeRequest(1, 1, 'PLAIN'));
    return say(client, authenticateRequest(2, 2, Buffer.from(token))).verdict;
  });
  t.strictSame(verdicts, [Verdict.answer, Verdict.dismiss]);
  for (const [header, verdict] of [
    ['n,,', Verdict.answer],
    ['y,,', Verdict.answer],
    ['n,a=alice,', Verdict.answer],
    ['n,a=bob,', Verdict.dismiss],
    ['p=tls-unique,,', Verdict.dismiss],
  ] as const) {
    const client = benchWith().client();
    say(client, handshakeRequest(1, 1, 'SCRAM-SHA-256'));
    t.equal(say(client, authenticateRequest(2, 2, Buffer.from(`${header}n=alice,r=abc`))).verdict, verdict, header);
  }
});

t.test('tokens that are none are refused as a wrong password is', async (t) => {
  const wrong = [
    '',
    '\0',
    'alice',
    '\0alice',
    '\0\0local-secret',
    '\0alice\0local-secret\0',
    'n,,',
    'n,,n=,r=x',
    'n,,n=alice',
    'n,,n=alice,r=',
    'n,,m=x,n=alice,r=abc',
    'n,,n=al=ice,r=abc',
    `n,,n=alice,r=${'x'.repeat(5000)}`,
  ];
  for (const mechanism of MECHANISMS) {
    for (const token of wrong) {
      const client = benchWith().client();
      say(client, handshakeRequest(1, 1, mechanism));
      const { verdict, heard } = say(client, authenticateRequest(2, 2, Buffer.from(token)));
      t.equal(verdict, Verdict.dismiss);
      t.equal(heard === null ? 0 : heardToken(heard, 2).error, 58, token.slice(0, 30));
    }
  }
});

t.test('a proof belongs to its exchange', async (t) => {
  const proofs = [
    (real: string) => real.replace('c=biws', 'c=eSws'),
    (real: string) => real.replace('r=', 'r=x'),
    (real: string) => real.replace(/,p=.*/, ''),
    (real: string) => real.replace(/,p=.*/, ',p='),
    (real: string) => real.replace(/,p=.*/, ',p=AAAA'),
    (real: string) =>
      real.replace(
        /,p=(.*)$/,
        (_, proof: string) => `,p=${Buffer.concat([Buffer.from(proof, 'base64'), Buffer.alloc(3)]).toString('base64')}`,
      ),
    (real: string) => real.replace(',p=', ',x=y,p='),
  ];
  for (const [index, spoil] of proofs.entries()) {
    const client = benchWith().client();
    say(client, handshakeRequest(1, 1, 'SCRAM-SHA-512'));
    const { first, next } = tokensOf('SCRAM-SHA-512', 'alice', 'local-secret');
    const challenge = say(client, authenticateRequest(2, 2, first)).heard ?? Buffer.alloc(0);
    const real = next(heardToken(challenge, 2).token)?.toString() ?? '';
    t.equal(say(client, authenticateRequest(2, 3, Buffer.from(spoil(real)))).verdict, Verdict.dismiss, `${index}`);
  }
});

t.test('a salt says nothing: it is the same at every attempt, and of a user that does not exist too', async (t) => {
  const bench = benchWith();
  const saltFor = (username: string, mechanism: string): string => {
    const client = bench.client();
    say(client, handshakeRequest(1, 1, mechanism));
    const { heard } = say(client, authenticateRequest(2, 2, tokensOf(mechanism, username, '').first));
    return /s=([^,]+),i=4096$/.exec(heard === null ? '' : heardToken(heard, 2).token.toString())?.[1] ?? '';
  };
  const salts = ['alice', 'nobody'].flatMap((name) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((each) => [name, each] as const),
  );
  for (const [name, mechanism] of salts) t.equal(saltFor(name, mechanism), saltFor(name, mechanism));
  t.equal(new Set(salts.map(([name, mechanism]) => saltFor(name, mechanism))).size, 4);
  for (const [name, mechanism] of salts) t.equal(saltFor(name, mechanism).length, 24);
});

t.test('the users are asked for at every attempt', async (t) => {
  const users = new UserTable(PASSWORDS);
  const bench = benchWith(users);
  for (const mechanism of MECHANISMS) {
    users.set('alice', 'first');
    t.equal(authenticate(bench.client(), mechanism, 'alice', 'first'), 'known');
    users.set('alice', 'second');
    t.match(authenticate(bench.client(), mechanism, 'alice', 'first'), { error: 58 });
    t.equal(authenticate(bench.client(), mechanism, 'alice', 'second'), 'known');
    users.remove('alice');
    t.match(authenticate(bench.client(), mechanism, 'alice', 'second'), { error: 58 });
  }
});

t.test('a client may authenticate itself again, as the same user (KIP-368)', async (t) => {
  const bench = benchWith();
  const client = bench.client();
  const connection = bench.connect();
  t.equal(authenticate(client, 'SCRAM-SHA-256', 'alice', 'local-secret'), 'known');
  t.equal(authenticate(client, 'PLAIN', 'alice', 'local-secret'), 'known');
  t.equal(client.identity, 'alice');
  say(client, handshakeRequest(1, 1, 'PLAIN'));
  const work = anyRequest(12, 4, 5);
  t.equal(client.inspect(work, 0, work.length, true, false), Verdict.close, 'nothing else in the middle of it');
  const other = bench.client();
  authenticate(other, 'PLAIN', 'alice', 'local-secret');
  t.match(authenticate(other, 'PLAIN', 'b=o,b', 'pässword'), { error: 58 });
  t.equal(other.closeReason, 'authentication_failed');
  t.equal(other.identity, 'alice');
  t.equal(connection.session.owed, 0);
});

t.test('whoever is known by a certificate may work at once, and authenticate itself as no other', async (t) => {
  const bench = benchWith();
  const client = bench.client('1', 'alice');
  t.equal(client.identity, 'alice');
  t.equal(say(client, metadataRequest(9, 3)).verdict, Verdict.forward);
  t.equal(authenticate(client, 'PLAIN', 'alice', 'local-secret'), 'known');
  t.match(authenticate(bench.client('1', 'alice'), 'PLAIN', 'b=o,b', 'pässword'), { error: 58 });
  const stranger = bench.client('1', 'eve\n');
  for (const bytes of [apiVersionsRequest(0, 1), metadataRequest(9, 3), handshakeRequest(1, 1, 'PLAIN')]) {
    t.equal(stranger.inspect(bytes, 0, bytes.length, true, false), Verdict.close);
    t.equal(stranger.closeReason, 'authentication_failed');
    t.match(stranger.closeDetail, '"eve"');
  }
  const none = benchWith(new UserTable(PASSWORDS, [])).client('1', 'alice');
  t.equal(say(none, handshakeRequest(1, 1, 'PLAIN')).verdict, Verdict.dismiss);
  t.match(none.closeDetail, /certificate/);
});

t.test('a dead broker shakes no hands', async (t) => {
  const client = benchWith().client();
  t.equal(say(client, handshakeRequest(1, 1, 'PLAIN'), false).verdict, Verdict.learn);
  t.equal(authenticate(client, 'PLAIN', 'alice', 'local-secret'), 'known');
});

t.test('what does not follow the order or the grammar ends the client', async (t) => {
  const shaken = [handshakeRequest(1, 1, 'PLAIN')];
  const cases = [
    [[], authenticateRequest(2, 1, Buffer.from('x'))],
    [shaken, handshakeRequest(1, 2, 'PLAIN')],
    [[], handshakeRequest(2, 1, 'PLAIN')],
    [[], handshakeRequest(-1, 1, 'PLAIN')],
    [shaken, authenticateRequest(3, 1, Buffer.from('x'))],
    [shaken, request(36, 2, 1, { body: Buffer.from([200, 1]) })],
    [[], frame(Buffer.from([0, 17, 0, 1, 0, 0, 0, 1, 0, 9]))],
    [[], join(i32(70_000), handshakeRequest(1, 1, 'PLAIN').subarray(4))],
    [[handshakeRequest(0, 1, 'PLAIN')], join(i32(70_000), Buffer.alloc(20))],
    [[handshakeRequest(0, 1, 'PLAIN')], i32(-1)],
  ] as const;
  for (const [before, wrong] of cases) {
    const client = benchWith().client();
    for (const bytes of before) say(client, bytes);
    t.equal(client.inspect(wrong, 0, wrong.length, true, false), Verdict.close);
    t.equal(client.closeReason, 'protocol_error');
  }
});

t.test('versions of SASL are told when, and only when, somebody is there to authenticate to', async (t) => {
  const toldBy = (bench: KafkaBench): readonly number[] => {
    bench.connect();
    const { heard } = say(bench.client(), apiVersionsRequest(0, 1));
    const keys: number[] = [];
    for (let at = 14; heard !== null && at < heard.length; at += 6) keys.push(heard.readInt16BE(at));
    return keys.filter((key) => key === 17 || key === 36);
  };
  t.strictSame(toldBy(new KafkaBench()), []);
  t.strictSame(toldBy(new KafkaBench({ users: new UserTable(PASSWORDS) })), [17, 36]);
});

t.test('whatever a client says, nothing throws, and nobody is known without a password', async () => {
  const bench = benchWith();
  const requests = fc.oneof(
    fc.constantFrom(...MECHANISMS, 'GSSAPI').map((mechanism) => handshakeRequest(1, 1, mechanism)),
    fc.constantFrom(...MECHANISMS).map((mechanism) => handshakeRequest(0, 1, mechanism)),
    fc
      .tuple(fc.nat(3), fc.uint8Array({ maxLength: 40 }))
      .map(([version, bytes]) => authenticateRequest(version, 2, Buffer.from(bytes))),
    fc
      .constantFrom('\0alice\0wrong', 'n,,n=alice,r=abc', 'c=biws,r=abc,p=AAAA')
      .map((text) => authenticateRequest(2, 2, Buffer.from(text))),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => frame(Buffer.from(bytes))),
    fc.constantFrom(apiVersionsRequest(4, 3), metadataRequest(9, 3)),
  );
  fc.assert(
    fc.property(fc.array(requests, { maxLength: 6 }), fc.nat(), fc.nat(255), (list, where, byte) => {
      const client = bench.client();
      if (list.length > 0) {
        const spoilt = list[where % list.length];
        if (spoilt !== undefined) list[where % list.length] = Buffer.from(spoilt).fill(byte, spoilt.length - 1);
      }
      for (const bytes of list) {
        const verdict = client.inspect(bytes, 0, bytes.length, true, false);
        if (verdict === Verdict.forward) return false;
        if (verdict !== Verdict.answer) break;
        client.answer();
      }
      return client.identity === '';
    }),
    { numRuns: 1000 },
  );
});
