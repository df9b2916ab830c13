/** H6, H20, H23, H24: brokers that close connections: the instant they are used, while others work, in the middle of an answer. */
import t from 'tap';
import { fetch } from '../../src/demo/kafka/messages/fetch.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import type { RequestAction } from '../../src/demo/kafka/net/requests.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { createTopic, fetchFrom, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

t.setTimeout(120_000);

t.test('when FIN meets a request on its way, it reaches the brokers once or never, and no other way', async (t) => {
  // H6
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const broker = cluster.broker(1);
  const outcomes = { answered: 0, closed: 0 };
  for (let round = 0; round < 120; round += 1) {
    const client = await connect(t, sidecar, 1);
    await client.ask(produce, 9, produceTo(1, [`${round} before`]));
    client.send(produce, 9, produceTo(1, [`${round}`]));
    // Before the request has come, while it comes, after it: the loop decides.
    for (let turns = round % 4; turns > 0; turns -= 1) await new Promise(setImmediate);
    broker.closeIdle();
    await until('an outcome', () => client.frames.length > 0 || client.ending !== 'open');
    const answered = client.frames.length > 0;
    outcomes[answered ? 'answered' : 'closed'] += 1;
    const count = valuesOf(cluster).filter((value) => value === `${round}`).length;
    if (count > 1 || (answered && count !== 1)) t.fail(`round ${round}: ${count} times, answered: ${answered}`);
    client.socket.destroy();
  }
  t.comment(outcomes);
  t.ok(outcomes.answered > 0, 'some came through');
  const sent = cluster.requests.filter(({ api }) => api === 'Produce').length;
  t.ok(sent <= 240, `${sent} requests reached the broker, 240 were sent`);
});

t.test(
  'a broker that closes as a request arrives costs that client its connection, and the request is never repeated',
  async (t) => {
    // H6, H24
    const cluster = await startCluster(t, { brokers: 1 });
    createTopic(cluster);
    const sidecar = await startSidecar(t, cluster);
    const bystander = await connect(t, sidecar, 1);
    await bystander.ask(metadata, 1, { topics: null });
    for (const [action, times] of [
      ['close', 0],
      ['reset', 0],
      [{ closeAfterBytes: 0 }, 1],
      [{ resetAfterBytes: 0 }, 1],
    ] as const satisfies readonly (readonly [RequestAction, number])[]) {
      const name = JSON.stringify(action);
      cluster.forgetRequests();
      cluster.onRequest = (_, { api }) => (api === 'Produce' ? action : 'answer');
      const client = await connect(t, sidecar, 1);
      client.send(produce, 9, produceTo(1, [name]));
      t.not(await client.ended(), 'open', name);
      cluster.onRequest = undefined;
      await bystander.ask(produce, 9, produceTo(1, ['after it']));
      t.equal(cluster.requests.filter(({ api }) => api === 'Produce').length, 2, 'once by each client');
      t.equal(valuesOf(cluster).filter((value) => value === name).length, times);
    }
    t.strictSame(sidecar.closes, Array(4).fill('upstream_lost'));
  },
);

t.test('connections that a broker closes because nobody uses them are no trouble to anybody', async (t) => {
  // H20
  const cluster = await startCluster(t, { brokers: 2 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const clients = { 1: await connect(t, sidecar, 1), 2: await connect(t, sidecar, 2) };
  const ask = (node: 1 | 2, value: string) => clients[node].ask(produce, 9, produceTo(node, [value]));
  await ask(1, 'first');
  await ask(2, 'first');
  for (let round = 0; round < 20; round += 1) {
    const busy = round % 2 === 0 ? 1 : 2;
    const quiet = busy === 1 ? 2 : 1;
    const closed = sidecar.releases.length + cluster.broker(quiet).tally.open;
    cluster.broker(quiet).closeIdle();
    for (let request = 0; request < 3; request += 1) await ask(busy, `${round}`);
    await until('it is known', () => sidecar.releases.length >= closed);
    const answer = await ask(quiet, `${round}`);
    t.equal(answer.topics[0]?.partitions[0]?.errorCode, 0);
  }
  t.strictSame(sidecar.closes, [], 'no client was closed');
  t.equal(valuesOf(cluster).length, 2 + 20 * 4);
});

t.test('of an answer that breaks off a client sees the beginning and the end, and nothing else', async (t) => {
  // H23
  const cluster = await startCluster(t, { brokers: 1 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const bystander = await connect(t, sidecar, 1);
  await bystander.ask(produce, 9, produceTo(1, ['something to fetch']));
  for (const [name, send] of [
    ['Produce', (client: RawClient) => client.send(produce, 9, produceTo(1, ['x'], 1, {}))],
    ['Fetch', (client: RawClient) => client.send(fetch, 12, { ...fetchFrom(1, 0), maxBytes: 1 })],
    ['Metadata', (client: RawClient) => client.send(metadata, 9, { topics: [{ name: 'orders' }] })],
  ] as const) {
    cluster.onRequest = undefined;
    const whole = await connect(t, sidecar, 1);
    send(whole);
    await whole.frame();
    const { length } = whole.bytes;
    let differing = 0;
    for (let cut = 0; cut < length; cut += 1) {
      const manner = cut % 2 === 0 ? { closeAfterBytes: cut } : { resetAfterBytes: cut };
      // The sidecar's own requests, with which a dial begins, are answered.
      cluster.onRequest = (_, { api, clientId }) => (api === name && clientId === 'raw' ? manner : 'answer');
      const client = await connect(t, sidecar, 1);
      send(client);
      const ending = await client.ended();
      const prefix = whole.bytes.subarray(0, client.bytes.length);
      if (ending === 'open' || client.frames.length > 0) t.fail(`${name}, cut at ${cut}: the client has an answer`);
      if (client.bytes.length > cut) t.fail(`${name}, cut at ${cut}: ${client.bytes.length} bytes`);
      // A Produce answer has another offset each time.
      if (name !== 'Produce' && !client.bytes.equals(prefix)) differing += 1;
      client.socket.destroy();
    }
    cluster.onRequest = undefined;
    t.equal(differing, 0, `${name}: ${length} cuts, always the beginning of the right answer`);
    t.equal((await bystander.ask(produce, 9, produceTo(1, ['still here']))).topics.length, 1);
  }
});
