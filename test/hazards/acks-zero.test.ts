/** H3, H35: producers that want no answer: their errors are theirs alone, and what they sent arrives. */
import t from 'tap';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';
import { createTopic, damaged, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

t.test('an error of acks=0 closes the client that made it and no other', async (t) => {
  // H3
  const cluster = await startCluster(t);
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const [culprit, other, silent] = [
    await connect(t, sidecar, 1),
    await connect(t, sidecar, 1),
    await connect(t, sidecar, 1),
  ];
  await silent.ask(metadata, 1, { topics: null });
  // Slow enough that the others come while the brokers are still busy with it.
  cluster.onRequest = (_, { acks }) => (acks === 0 ? { delayMilliseconds: 60 } : 'answer');
  culprit.send(produce, 9, produceTo(1, ['one'], 0));
  culprit.send(produce, 9, produceTo(1, ['two'], 0));
  culprit.send(produce, 9, damaged(1, 0));
  await other.ask(produce, 9, produceTo(1, ['from another']));
  t.not(await culprit.ended(), 'open');
  await other.ask(produce, 9, produceTo(1, ['from another again']));
  await silent.ask(metadata, 1, { topics: null });
  t.strictSame(sidecar.closes, ['upstream_lost']);
  t.strictSame(valuesOf(cluster).sort(), ['from another', 'from another again', 'one', 'two']);
});

t.test('what was sent with acks=0 arrives, even if the client leaves at once', async (t) => {
  // H35
  const cluster = await startCluster(t);
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const expected: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const value = `${round}/${index}`;
        const node = (index % 3) + 1;
        const client = await connect(t, sidecar, node);
        client.send(produce, 9, produceTo(node, [value], 0));
        client.socket.end();
        expected.push(value);
        await client.ended();
      }),
    );
  }
  await until('all of it arrived', () => valuesOf(cluster).length >= expected.length);
  t.strictSame(valuesOf(cluster).sort(), expected.sort());
});

t.test('what was sent with acks=0 arrives, even if the connection is released at once', async (t) => {
  // H35
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const client = await connect(t, sidecar, 1);
  const expected: string[] = [];
  for (let round = 0; round < 15; round += 1) {
    for (const part of ['a', 'b', 'c']) {
      expected.push(`${round}${part}`);
      client.send(produce, 9, produceTo(1, [`${round}${part}`], 0));
    }
    await until('they are on their way', () => cluster.tally.open > 0);
    await sidecar.asleep(cluster);
  }
  t.equal(client.ending, 'open');
  t.strictSame(valuesOf(cluster), expected);
});
