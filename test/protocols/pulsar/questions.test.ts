import t from 'tap';
import { ClosingNames } from '../../../src/protocols/pulsar/closing-names.ts';
import { Type } from '../../../src/protocols/pulsar/commands.ts';
import { Producer } from '../../../src/protocols/pulsar/producer.ts';
import { ProducerRequests } from '../../../src/protocols/pulsar/producer-requests.ts';
import { type Question, Questions } from '../../../src/protocols/pulsar/questions.ts';
import { frame } from '../../support/pulsar/frames.ts';
import { Fixture } from './session-fixture.ts';

function lookup(id: bigint): Omit<Question<string>, 'tenant'> {
  const client = new Fixture().client().session;
  return { client, id, type: Type.lookup, frame: Buffer.alloc(0), hops: 0 };
}

function producer(id: bigint): Producer {
  return new Producer(
    frame('PRODUCER', { topic: `persistent://a/b/c-${id}`, producerId: id, requestId: id }),
    undefined,
  );
}

t.test('whoever asked is owed an answer until all of its questions are answered', async (t) => {
  const questions = new Questions<string>();
  const [one, two] = [questions.ask('a', lookup(7n)), questions.ask('a', lookup(8n))];
  t.strictSame([questions.isOwedTo('a'), questions.isOwedTo('b'), questions.size], [true, false, 2]);
  for (const own of [two, one]) {
    t.ok(questions.isOwedTo('a'));
    const question = questions.find(own);
    if (question !== undefined) questions.answered(own, question);
  }
  t.strictSame([questions.isOwedTo('a'), questions.size], [false, 0]);
});

t.test('what somebody asked who is gone is still to be answered, and owed to nobody', async (t) => {
  const questions = new Questions<string>();
  const own = questions.ask('a', lookup(7n));
  questions.leave('a');
  t.strictSame([questions.isOwedTo('a'), questions.size, questions.find(own)?.tenant], [false, 1, null]);
  const again = questions.ask('a', lookup(8n));
  const question = questions.find(own);
  if (question !== undefined) questions.answered(own, question);
  t.ok(questions.isOwedTo('a'), 'what it asked later');
  t.equal(questions.find(again)?.tenant, 'a');
});

t.test('a request about a producer is owed to its tenant, unless it was made for a message that waits', async (t) => {
  const requests = new ProducerRequests<string>(new ClosingNames());
  const [first, second] = [producer(1n), producer(2n)];
  requests.ask('reopen', first, 'a', 0n);
  t.notOk(requests.isOwedTo('a'));
  const open = requests.ask('open', second, 'a', 5n);
  t.ok(requests.isOwedTo('a'));
  requests.answered(open);
  t.notOk(requests.isOwedTo('a'));
  requests.answered(open);
  requests.ask('close', second, 'a', 6n);
  t.ok(requests.isOwedTo('a'));
  requests.leave('a');
  t.notOk(requests.isOwedTo('a'));
  t.strictSame(requests.abandon(first, first.upstreamId), [], 'it has left');
  t.equal(requests.size, 1);
});

t.test('what others have asked costs nobody time', async (t) => {
  const questions = new Questions<number>();
  const requests = new ProducerRequests<number>(new ClosingNames());
  const question = lookup(1n);
  const producers = Array.from({ length: 20_000 }, (_, index) => producer(BigInt(index)));
  for (const each of producers) {
    questions.ask(-1, question);
    requests.ask('open', each, -1, 1n);
  }
  const start = performance.now();
  for (let tenant = 0; tenant < 20_000; tenant += 1) {
    if (questions.isOwedTo(tenant) || requests.isOwedTo(tenant)) t.fail('it is owed nothing');
  }
  for (const each of producers) requests.abandon(each, each.upstreamId);
  t.ok(performance.now() - start < 1000, 'searching takes many seconds');
  t.strictSame([questions.size, requests.size], [20_000, 0]);
});
