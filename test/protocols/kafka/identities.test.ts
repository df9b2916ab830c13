/** What a broker shows depends on who asks (H15), and nobody's requests go out as somebody else's (H11). */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { answer, metadataBody } from './answers.ts';
import { ask, hear, VERSION, verdictOf } from './housekeeping.ts';
import { BROKERS, KafkaBench, requestsIn } from './kafka-bench.ts';
import { apiVersionsRequest, metadataRequest } from './requests.ts';
import { UserTable } from './sasl/sasl-application.ts';

const benchOfTwo = (): KafkaBench => new KafkaBench({ users: new UserTable({ alice: 'a', bob: 'b' }) });

t.test('a sleeper is told what its own identity was told, and never what another was', async (t) => {
  const bench = benchOfTwo();
  const links = ['alice', 'bob'].map((identity) => bench.connect({ identity }));
  const clients = ['alice', 'bob'].map((user) => bench.client('1', user));
  const [ofAlice, ofBob] = links;
  const [alice, bob] = clients;
  if (ofAlice === undefined || ofBob === undefined || alice === undefined || bob === undefined) return;
  hear(ofAlice, alice, { topic: 'of-alice' });
  hear(ofBob, bob, { topic: 'of-bob' });
  t.equal(requestsIn(ofAlice.session.refresh()).length, 1);
  ofAlice.read(answer(3, VERSION, -1_999_999_996, metadataBody(VERSION, BROKERS, { topic: 'only-alice' })));
  t.equal(verdictOf(bob), Verdict.forward, 'an answer is there, but not for it');
  t.equal(verdictOf(alice), Verdict.answer);
  t.ok(alice.answer().includes('only-alice'));
  hear(ofAlice, bench.client('1', 'alice'), { topic: 'of-alice' });
  t.equal(verdictOf(bob), Verdict.forward);
});

t.test('over a link is renewed what its own identity will ask', async (t) => {
  const bench = benchOfTwo();
  const links = { alice: bench.connect({ identity: 'alice' }), bob: bench.connect({ identity: 'bob' }) };
  hear(links.alice, bench.client('1', 'alice'), { asked: { topics: ['of-alice'] } });
  hear(links.bob, bench.client('1', 'bob'), { asked: { topics: ['of-bob'] } });
  t.ok(links.alice.session.refresh()?.includes('of-alice'));
  t.notOk(links.alice.session.refresh()?.includes('of-bob'));
  t.notOk(links.bob.session.refresh()?.includes('of-alice'));
  t.equal(bench.connect({ identity: 'carol' }).session.refresh(), undefined);
});

t.test('what all identities were told is forgotten when the topology changes', async (t) => {
  const bench = benchOfTwo();
  for (const identity of ['alice', 'bob']) {
    const link = bench.connect({ identity });
    const client = bench.client('1', identity);
    hear(link, client);
    hear(link, bench.client('1', identity));
    t.equal(verdictOf(client), Verdict.answer);
    bench.route.invalidate();
    t.equal(verdictOf(client), Verdict.forward);
  }
});

t.test('a request that would go out under another identity goes nowhere', async (t) => {
  const bench = benchOfTwo();
  for (const [user, identity] of [
    ['alice', 'bob'],
    ['alice', ''],
  ] as const) {
    const link = bench.connect({ identity });
    const client = bench.client('1', user);
    t.throws(() => ask(link, client), { message: /alice/ });
    t.equal(link.session.owed, 0);
  }
});

t.test('what brokers can, and which cluster it is, is known whoever asked', async (t) => {
  const bench = benchOfTwo();
  bench.connect({ identity: 'alice' });
  const bytes = apiVersionsRequest(3, 1);
  t.equal(bench.client('1', 'bob').inspect(bytes, 0, bytes.length, true, false), Verdict.answer);
  t.throws(() => bench.connect({ identity: 'bob', clusterId: 'another' }), { message: /another/ });
});

t.test('a client without a user of a route without users is of the identity that has no name', async (t) => {
  const bench = new KafkaBench();
  const client = bench.client();
  t.equal(client.identity, '');
  const bytes = metadataRequest(9, 1);
  t.equal(client.inspect(bytes, 0, bytes.length, true, false), Verdict.forward);
});
