/** Names of producers: who waits for one that is being closed, and who keeps one that is parked. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { ClosingNames } from '../../../src/protocols/pulsar/closing-names.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { only, Producing, send, TOPIC } from './producer-fixture.ts';
import { type Client, commandsIn } from './session-fixture.ts';

const named = (name: string, topic = TOPIC) =>
  frame('PRODUCER', { topic, producerId: 0n, requestId: 1n, producerName: name, userProvidedName: true });

t.test('who comes back under the name of one that died waits for its end, others do not', async (t) => {
  const producing = new Producing();
  const { link } = producing;
  const dead = producing.client();
  producing.opens(dead, 'dead', { name: 'n' });
  dead.session.close();
  const close = only('CLOSE_PRODUCER', link.session.leave('dead'));
  const elsewhere = producing.another();
  const heir = producing.client();
  t.equal(heir.verdict(named('n')), Verdict.forward);
  t.equal(elsewhere.session.prepare(heir.session, 'heir'), undefined);
  const other = producing.client();
  other.verdict(named('m'));
  t.equal(elsewhere.session.prepare(other.session, 'other'), null, 'another name');
  other.verdict(named('n', 'persistent://public/default/payments'));
  t.equal(elsewhere.session.prepare(other.session, 'other'), null, 'another topic');
  link.sink.reset();
  link.hears('SUCCESS', { requestId: close.requestId ?? 0n });
  t.strictSame(link.sink.facts, ['prepared heir'], 'told by the connection that it waited for');
  t.equal(elsewhere.session.prepare(heir.session, 'heir'), null);
});

t.test('a connection that goes frees the names that were being closed on it', async (t) => {
  const producing = new Producing();
  const dead = producing.client();
  producing.opens(dead, 'dead', { name: 'n' });
  dead.session.close();
  producing.link.session.leave('dead');
  const elsewhere = producing.another();
  const heir = producing.client();
  heir.verdict(named('n'));
  t.equal(elsewhere.session.prepare(heir.session, 'heir'), undefined);
  t.strictSame([...producing.link.session.gone()], ['heir']);
  t.equal(elsewhere.session.prepare(heir.session, 'heir'), null);
});

t.test('a message waits for the name of its own producer, that is still being parked elsewhere', async (t) => {
  const producing = new Producing();
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  const close = only('CLOSE_PRODUCER', producing.link.session.leave('a'));
  const elsewhere = producing.another();
  t.equal(client.verdict(send(0n, 1n)), Verdict.forward);
  t.equal(elsewhere.session.prepare(client.session, 'a2'), undefined);
  producing.link.sink.reset();
  producing.link.hears('SUCCESS', { requestId: close.requestId ?? 0n });
  t.strictSame(producing.link.sink.facts, ['prepared a2']);
  t.equal(only('PRODUCER', elsewhere.session.prepare(client.session, 'a2')).producerName, 'n');
});

t.test('a message too large to share moves its producers to a connection of their client alone', async (t) => {
  const producing = new Producing({ wholeFrameBytes: 4096 });
  const client = producing.client();
  producing.opens(client, 'a', { name: 'n' });
  const large = frame('SEND', { producerId: 0n, sequenceId: 1n }, Buffer.alloc(5000));
  client.verdict(large.subarray(0, 4096));
  t.match(client.session.purpose, /^bulk:/);
  t.match(client.session.previous, /^shared:/);
  const close = only('CLOSE_PRODUCER', producing.link.session.leave('a'));
  const bulk = producing.fixture.link(client.session.purpose, { node: 'b:6650', host: 'b', port: 6650 });
  t.ok(bulk.session.exclusive);
  t.equal(bulk.session.prepare(client.session, 'b'), undefined);
  producing.link.hears('SUCCESS', { requestId: close.requestId ?? 0n });
  const again = only('PRODUCER', bulk.session.prepare(client.session, 'b'));
  t.equal(again.producerName, 'n');
  const answer = { requestId: again.requestId ?? 0n, producerName: 'n', schemaVersion: Buffer.from([1]) };
  bulk.hears('PRODUCER_SUCCESS', { ...answer, ready: true });
  t.equal(bulk.session.prepare(client.session, 'b'), null);
  producing.parks(bulk);
  client.verdict(send(0n, 2n));
  t.match(
    [client.session.purpose, client.session.previous],
    [/^shared:/, /^bulk:/],
    'once it is quiet it shares again',
  );
});

t.test('a name is free once all of those that had it are closed', async (t) => {
  const names = new ClosingNames();
  names.begin('n');
  names.begin('n');
  t.ok(names.mustWait('n', 'a'));
  t.ok(names.mustWait('n', 'a'));
  t.strictSame(names.end('n'), []);
  t.ok(names.mustWait('n', 'b'));
  t.strictSame(names.end('n'), ['a', 'b']);
  t.notOk(names.mustWait('n', 'a'));
  t.strictSame(names.end('n'), []);
});

t.test('a name that is parked stays its client’s, and is free once that closes it or goes', async (t) => {
  const ends: Readonly<Record<string, (owner: Client) => void>> = {
    'closes it': (owner) => {
      owner.verdict(frame('CLOSE_PRODUCER', { producerId: 0n, requestId: 9n }));
      owner.session.answer();
    },
    goes: (owner) => owner.session.close(),
  };
  for (const [how, end] of Object.entries(ends)) {
    const producing = new Producing();
    const [owner, other] = [producing.client(), producing.client()];
    producing.opens(owner, 'a', { name: 'n' });
    t.equal(other.verdict(named('n')), Verdict.forward, 'the broker says so while it is open');
    producing.parks();
    t.equal(other.verdict(named('n')), Verdict.answer);
    const [refused] = commandsIn(other.session.answer());
    t.match(refused, { name: 'ERROR', fields: { requestId: 1n, error: 16, message: /'n' is already connected/ } });
    t.equal(other.verdict(send(0n, 1n)), Verdict.close, 'it has nothing open');
    for (const free of [named('m'), named('n', 'persistent://public/default/payments')])
      t.equal(producing.client().verdict(free), Verdict.forward);
    t.equal(owner.verdict(named('n')), Verdict.forward, 'its own client opens it again');
    end(owner);
    t.equal(producing.client().verdict(named('n')), Verdict.forward, how);
  }
});
