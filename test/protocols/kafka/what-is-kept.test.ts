/** Which answers are kept for sleepers, and which sleepers they are too old for. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { answer, metadataBody } from './answers.ts';
import { hear, VERSION, verdictOf } from './housekeeping.ts';
import { KafkaBench, requestsIn } from './kafka-bench.ts';

t.test('an answer of a broker that names no broker, not even itself, is told to nobody else', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const [client, other] = [bench.client(), bench.client()];
  hear(connection, client);
  hear(connection, other, { brokers: [] });
  t.equal(verdictOf(client), Verdict.forward);
  hear(connection, client);
  t.equal(verdictOf(other), Verdict.forward, 'and who heard it asks a broker again');
});

t.test('nor is it when it renews what sleepers ask', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  hear(connection, client);
  const [sent] = requestsIn(connection.session.refresh());
  connection.read(answer(3, VERSION, sent?.id ?? 0, metadataBody(VERSION, [])));
  t.equal(verdictOf(client), Verdict.forward);
});
