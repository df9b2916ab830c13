import t from 'tap';
import { answer, findCoordinatorBody, heartbeatBody, metadataBody } from './answers.ts';
import { BROKERS, type Connection, KafkaBench, local } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { NAMING, PASSING } from './samples.ts';
import { join } from './wire.ts';

const heartbeat = (id: number): Buffer => answer(12, 0, id, heartbeatBody(0));
/** All but the single FindCoordinator, which names one broker only. */
const LISTS = NAMING.filter(({ key, version }) => key !== 10 || version >= 4);

/** Three answers, of which the middle one is of this sample. */
function asking(bench: KafkaBench, key: number, version: number): Connection {
  const connection = bench.connect();
  const client = bench.client();
  connection.ask(client, anyRequest(12, 0, 1));
  connection.ask(client, anyRequest(key, version, 2));
  connection.ask(client, anyRequest(12, 0, 3));
  return connection;
}

for (const sample of NAMING) {
  const { key, version } = sample;
  t.test(`${sample.name}: an answer waits until every broker in it has a listener`, async (t) => {
    const sent = join(heartbeat(1), answer(key, version, 2, sample.body(BROKERS, 60)), heartbeat(3));
    const seen = join(heartbeat(1), answer(key, version, 2, sample.seen(BROKERS, local(BROKERS), 60)), heartbeat(3));
    for (const cuts of [[], [15], [10, 30, sent.length - 12, sent.length - 3]]) {
      const bench = new KafkaBench();
      const connection = asking(bench, key, version);
      bench.listeners.table.clear();
      connection.read(sent, cuts, 5);
      const { session, sink } = connection;
      t.ok(session.blocked);
      t.same(sink.delivered(), heartbeat(1), 'what came before is delivered');
      t.equal(session.owed, 2);
      t.ok(
        sink.topologies.some(({ nodes }) => nodes.some(({ node, host }) => node === '1' && host === BROKERS[0]?.host)),
      );
      session.resume(sink);
      t.ok(session.blocked, 'it still waits');
      bench.listeners.bind(...BROKERS);
      session.resume(sink);
      t.notOk(session.blocked);
      t.same(sink.delivered(), seen);
      t.equal(sink.facts.at(-1), `settled a ${seen.length}`);
      t.equal(session.owed, 0);
      session.resume(sink);
      t.equal(sink.facts.at(-1), `settled a ${seen.length}`, 'a second time changes nothing');
    }
  });
}

for (const sample of LISTS.filter(({ key }) => key !== 10)) {
  const { key, version } = sample;
  t.test(`${sample.name}: a broker whose listener cannot be bound is left out`, async (t) => {
    for (const gone of [[2], [1, 3], [1, 2, 3]]) {
      const bench = new KafkaBench();
      const connection = asking(bench, key, version);
      for (const node of gone) bench.listeners.table.set(String(node), 'unbindable');
      connection.read(join(heartbeat(1), answer(key, version, 2, sample.body(BROKERS, 0)), heartbeat(3)));
      const kept = local(BROKERS.filter(({ node }) => !gone.includes(node)));
      // A hint that names nobody any more is an empty one, not an absent one.
      const got = connection.sink.delivered();
      for (const { host } of BROKERS) t.notOk(got.includes(host));
      if (key !== 0 || kept.length > 0) {
        t.same(got, join(heartbeat(1), answer(key, version, 2, sample.seen(BROKERS, kept, 0)), heartbeat(3)));
      }
      t.equal(connection.session.owed, 0);
    }
  });
}

t.test('a coordinator whose listener cannot be bound is not available, and the others are', async (t) => {
  for (const { version } of NAMING.filter(({ key }) => key === 10)) {
    const bench = new KafkaBench();
    bench.listeners.table.set('1', 'unbindable');
    const connection = asking(bench, 10, version);
    connection.read(join(heartbeat(1), answer(10, version, 2, findCoordinatorBody(version, BROKERS)), heartbeat(3)));
    const [, ...rest] = local(BROKERS);
    const seen = findCoordinatorBody(version, [{ node: -1, host: '', port: -1 }, ...rest], { errors: [15] });
    t.same(connection.sink.delivered(), join(heartbeat(1), answer(10, version, 2, seen), heartbeat(3)), `v${version}`);
  }
});

t.test('an answer without a coordinator passes as it is, with its error', async (t) => {
  const nobody = { node: -1, host: '', port: -1 };
  for (const { version } of NAMING.filter(({ key }) => key === 10)) {
    const bench = new KafkaBench();
    bench.listeners.table.clear();
    const connection = asking(bench, 10, version);
    const bytes = answer(10, version, 2, findCoordinatorBody(version, [nobody, nobody], { errors: [15, 16] }));
    connection.read(join(heartbeat(1), bytes, heartbeat(3)));
    t.same(connection.sink.delivered(), join(heartbeat(1), bytes, heartbeat(3)));
    t.equal(connection.sink.topologies.length, 0);
  }
});

t.test('what a DescribeCluster answer says of controllers is not for applications, and passes', async (t) => {
  const { describeClusterBody } = await import('./answers.ts');
  for (const version of [1, 2]) {
    const bench = new KafkaBench();
    const connection = asking(bench, 60, version);
    const bytes = answer(60, version, 2, describeClusterBody(version, BROKERS, { controllers: true }));
    connection.read(join(heartbeat(1), bytes, heartbeat(3)));
    t.same(connection.sink.delivered(), join(heartbeat(1), bytes, heartbeat(3)));
    t.equal(connection.sink.topologies.length, 0);
  }
});

t.test('a later answer may wait again, and a client never overtakes itself', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  const client = bench.client();
  for (const id of [1, 2, 3]) connection.ask(client, anyRequest(3, 9, id));
  const bytes = [1, 2, 3].map((id) => answer(3, 9, id, metadataBody(9, BROKERS.slice(0, id))));
  bench.listeners.table.clear();
  connection.read(join(...bytes), [20, 90]);
  const seen = [1, 2, 3].map((id) => answer(3, 9, id, metadataBody(9, local(BROKERS.slice(0, id)))));
  for (const [index, broker] of BROKERS.entries()) {
    t.ok(connection.session.blocked);
    t.same(connection.sink.delivered(), join(...seen.slice(0, index)));
    bench.listeners.bind(broker);
    connection.session.resume(connection.sink);
  }
  t.notOk(connection.session.blocked);
  t.same(connection.sink.delivered(), join(...seen));
  t.equal(connection.session.owed, 0);
});

t.test('what ends the connection is found in what came while it waited, too', async (t) => {
  const bench = new KafkaBench();
  const connection = bench.connect();
  connection.ask(bench.client(), anyRequest(3, 9, 1));
  bench.listeners.table.clear();
  const bytes = answer(3, 9, 1, metadataBody(9, BROKERS));
  connection.read(join(bytes, Buffer.from([1])));
  t.equal(connection.sink.failure, null);
  bench.listeners.bind(...BROKERS);
  connection.session.resume(connection.sink);
  t.equal(connection.sink.failure?.reason, 'unsolicited_bytes');
  t.same(connection.sink.delivered(), answer(3, 9, 1, metadataBody(9, local(BROKERS))));
});

t.test('only Metadata lists every broker, so that absence means something', async (t) => {
  for (const sample of NAMING) {
    const bench = new KafkaBench();
    const connection = bench.connect();
    connection.ask(bench.client(), anyRequest(sample.key, sample.version, 1));
    connection.read(answer(sample.key, sample.version, 1, sample.body(BROKERS, 0)));
    const [topology] = connection.sink.topologies;
    t.equal(topology?.complete, sample.key === 3, sample.name);
    t.equal(topology?.clusterId, sample.key === 3 && sample.version >= 2 ? 'cluster-1' : null);
    const named = sample.key === 10 && sample.version < 4 ? BROKERS.slice(0, 1) : BROKERS;
    t.same(
      topology?.nodes,
      named.map(({ node, host, port }) => ({ node: String(node), host, port })),
    );
  }
});

t.test('answers without addresses never wait', async (t) => {
  for (const sample of PASSING) {
    const bench = new KafkaBench();
    bench.listeners.table.clear();
    const connection = asking(bench, sample.key, sample.version);
    const bytes = answer(sample.key, sample.version, 2, sample.body(BROKERS, 0));
    connection.read(join(heartbeat(1), bytes, heartbeat(3)));
    t.notOk(connection.session.blocked, sample.name);
    t.equal(connection.session.owed, 0);
    t.equal(connection.sink.topologies.length, 0);
  }
});
