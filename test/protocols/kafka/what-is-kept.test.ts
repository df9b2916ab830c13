/** Which answers are kept for sleepers, and which sleepers they are too old for. */
import t from 'tap';
import { Verdict } from '../../../src/contract/protocol.ts';
import { answer, metadataBody } from './answers.ts';
import { ask, hear, VERSION, verdictOf } from './housekeeping.ts';
import { BROKERS, KafkaBench, local, requestsIn } from './kafka-bench.ts';
import { form, frame, i32 } from './wire.ts';

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

t.test('a sleeper that asks two questions is told nothing older than what it got last, to whichever', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const [client, other] = [bench.client(), bench.client()];
  const [one, both] = [{ asked: { topics: ['orders'] } }, { asked: { topics: ['orders', 'payments'] } }];
  hear(connection, client, one);
  hear(connection, other, { ...one, topic: 'old' });
  hear(connection, client, { ...both, topic: 'new' });
  t.equal(verdictOf(client, one), Verdict.forward, 'a broker has told it something newer');
  hear(connection, other, one);
  t.equal(verdictOf(client, one), Verdict.answer);
  client.answer();
  hear(connection, other, both);
  hear(connection, other, one);
  t.equal(verdictOf(client, one), Verdict.answer);
  client.answer();
  t.equal(verdictOf(client, both), Verdict.forward, 'we have told it something newer');
});

t.test('what was renewed together answers both of its questions, in any order', async (t) => {
  const [one, both] = [{ asked: { topics: ['orders'] } }, { asked: { topics: ['orders', 'payments'] } }];
  for (const order of [
    [one, both],
    [both, one],
  ]) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const client = bench.client();
    for (const talk of [one, both]) hear(connection, client, talk);
    for (const { id, version } of requestsIn(connection.session.refresh()))
      connection.read(answer(3, version, id, metadataBody(version, BROKERS)));
    for (const talk of order) {
      t.equal(verdictOf(client, talk), Verdict.answer);
      client.answer();
      t.equal(verdictOf(client, talk), Verdict.forward, 'each once');
    }
  }
});

t.test('an answer with tagged fields in its header reaches who asked, and is told to nobody else', async (t) => {
  for (let version = 9; version <= 13; version += 1) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    const [client, other] = [bench.client(), bench.client()];
    hear(connection, client, { version });
    ask(connection, other, { version });
    connection.sink.reset();
    const header = form(true).tags({ tag: 3, bytes: Buffer.from('header') });
    connection.read(frame(i32(1), header, metadataBody(version, BROKERS)));
    t.same(connection.sink.delivered(), frame(i32(1), header, metadataBody(version, local(BROKERS))), `v${version}`);
    t.equal(verdictOf(client, { version }), Verdict.forward, `v${version}`);
  }
});
