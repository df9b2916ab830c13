/** A producer that was sent away looks for the new leader, and most libraries ask over another socket than it produces on. */
import t from 'tap';
import { type ClientSession, Verdict } from '../../../src/contract/protocol.ts';
import { answer, metadataBody, produceBody } from './answers.ts';
import { ask, hear, VERSION, verdictOf } from './housekeeping.ts';
import { BROKERS, type Connection, KafkaBench, requestsIn } from './kafka-bench.ts';
import { produceRequest } from './requests.ts';
import { form, i16, i32, i64, join } from './wire.ts';

interface Application {
  readonly connection: Connection;
  readonly bench: KafkaBench;
  /** A sleeper, for which there is an answer from before the move. */
  readonly metadataSocket: ClientSession;
  readonly produceSocket: ClientSession;
}

function application(): Application {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const [metadataSocket, other, produceSocket] = [bench.client(), bench.client(), bench.client('2')];
  hear(connection, metadataSocket);
  hear(connection, other, { topic: 'old' });
  return { bench, connection, metadataSocket, produceSocket };
}

/** One partition with that error, another one without any. */
function produceError(version: number, error: number): Buffer {
  const write = form(version >= 9);
  const partition = (index: number, code: number): Buffer =>
    join(
      i32(index),
      i16(code),
      i64(-1n),
      ...(version >= 2 ? [i64(-1n)] : []),
      ...(version >= 5 ? [i64(-1n)] : []),
      ...(version >= 8 ? [write.array([]), write.string(null)] : []),
      write.tags(),
    );
  const topic = version >= 13 ? Buffer.alloc(16, 7) : write.string('orders');
  const topics = write.array([join(topic, write.array([partition(0, error), partition(1, 0)]), write.tags())]);
  return join(topics, i32(0), write.tags());
}

function produce({ connection, produceSocket }: Application, version: number, body: Buffer): void {
  connection.ask(produceSocket, produceRequest(version, 4, { acks: -1 }));
  connection.read(answer(0, version, 4, body));
}

t.test('after an answer that leaders moved, every socket of the application asks a broker', async (t) => {
  for (let version = 1; version <= 13; version += 1) {
    for (const error of [3, 5, 6, 74, 100]) {
      const situation = application();
      produce(situation, version, produceError(version, error));
      t.equal(verdictOf(situation.metadataSocket), Verdict.forward, `v${version} error ${error}`);
      t.equal(situation.connection.sink.failure, null);
    }
  }
});

t.test('so it is when the answer names the new leader', async (t) => {
  const situation = application();
  produce(situation, 10, produceBody(10, BROKERS));
  t.equal(verdictOf(situation.metadataSocket), Verdict.forward);
});

t.test('an answer with no error, or one that says nothing about leaders, leaves sleepers in peace', async (t) => {
  for (const error of [0, 7, 10, 87]) {
    const situation = application();
    produce(situation, 9, produceError(9, error));
    t.equal(verdictOf(situation.metadataSocket), Verdict.answer, `error ${error}`);
  }
});

t.test('what was asked for before the move, and answered after it, is told to nobody else', async (t) => {
  const situation = application();
  const { bench, connection, metadataSocket } = situation;
  const second = bench.connect({ node: '3' });
  ask(second, bench.client('3'));
  const third = bench.connect({ node: '2' });
  const [renewal] = requestsIn(third.session.refresh());
  produce(situation, 9, produceError(9, 6));
  second.read(answer(3, VERSION, 1, metadataBody(VERSION, BROKERS)));
  t.equal(verdictOf(metadataSocket), Verdict.forward, 'by another client');
  third.read(answer(3, VERSION, renewal?.id ?? 0, metadataBody(VERSION, BROKERS)));
  t.equal(verdictOf(metadataSocket), Verdict.forward, 'by ourselves');
  hear(connection, bench.client());
  t.equal(verdictOf(metadataSocket), Verdict.answer, 'but what was asked for since');
});
