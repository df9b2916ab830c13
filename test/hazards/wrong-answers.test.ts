/** H4, H26: brokers that answer what nobody asked, at lengths that cannot be. */
import t from 'tap';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import type { RequestPlan } from '../../src/demo/kafka/net/requests.ts';
import { startCore } from '../support/core-fixture.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { until } from '../support/until.ts';
import { createTopic, produceTo } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

const WRONG: readonly (readonly [NonNullable<RequestPlan['corrupt']>, string, string])[] = [
  ['correlation', 'wrong_correlation_id', 'an id that nobody asked with'],
  ['length', 'protocol_error', 'a length beyond all limits'],
  ['negative length', 'protocol_error', 'a negative length'],
];

for (const [corrupt, reason, name] of WRONG) {
  t.test(`an answer with ${name} reaches nobody and ends both sides`, async (t) => {
    const cluster = await startCluster(t, { brokers: 1 });
    createTopic(cluster);
    const sidecar = await startSidecar(t, cluster);
    for (const api of ['Produce', 'Metadata']) {
      const [victim, bystander] = [await connect(t, sidecar, 1), await connect(t, sidecar, 1)];
      await bystander.ask(metadata, 1, { topics: null });
      const { length } = sidecar.closes;
      cluster.onRequest = (_, request) => (request.api === api && request.clientId === 'raw' ? { corrupt } : undefined);
      if (api === 'Produce') victim.send(produce, 9, produceTo(1, ['x']));
      else victim.send(metadata, 9, { topics: [{ name: 'orders' }] });
      t.not(await victim.ended(), 'open');
      cluster.onRequest = undefined;
      t.equal(victim.bytes.length, 0, 'not a byte');
      await until('it is released', () => sidecar.releases.includes(reason));
      t.strictSame(sidecar.closes.slice(length), ['upstream_lost']);
      await bystander.ask(produce, 9, produceTo(1, ['y']));
      t.equal(bystander.ending, 'open');
    }
  });
}

t.test('answers that are swapped reach neither of those who asked', async (t) => {
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  core.broker().manual = true;
  const [victim, other] = [core.connect(), core.connect()];
  const first = victim.send('pool');
  const second = victim.send('pool');
  other.send('pool');
  const [connection] = core.broker().open;
  connection?.answer({ id: second });
  connection?.answer({ id: first });
  core.pump();
  t.equal(victim.answers.length + victim.partial, 0);
  t.notOk(victim.isOpen);
  t.strictSame(core.released, ['wrong_correlation_id']);
  core.broker().open[0]?.answer();
  core.pump();
  t.equal(other.answers.length, 1, 'who waited was served over another connection');
});

t.test('a late answer to somebody else is not taken for an answer', async (t) => {
  // Two clients one after the other on one connection; the second answer carries the first one's id again.
  const core = await startCore(t, { pool: { maxConnectionsPerBroker: 1 } });
  const [one, two] = [core.connect(), core.connect()];
  const id = one.send('pool');
  core.broker().manual = true;
  two.send('pool');
  core.broker().open[0]?.answer({ id });
  core.pump();
  t.equal(two.answers.length + two.partial, 0);
  t.strictSame(one.ids, [id]);
  t.ok(one.isOpen);
  t.notOk(two.isOpen);
});

t.test('bytes that nobody asked for end the connection that brought them, and no client notices', async (t) => {
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['x']));
  const { length } = client.bytes;
  for (const connection of cluster.broker(1).connections) connection.send(Buffer.from([0, 0, 0, 4, 0, 0, 0, 1]));
  await until('it is released', () => sidecar.releases.includes('unsolicited_bytes'));
  await client.ask(produce, 9, produceTo(1, ['y']));
  t.ok(client.bytes.length < 3 * length);
  t.strictSame(sidecar.closes, []);
});
