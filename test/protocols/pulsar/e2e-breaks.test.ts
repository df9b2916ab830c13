/** Shared connections that break at bad moments: whoever has nothing under way does not learn of it. */
import t from 'tap';
import type { ScriptedClient } from '../../support/pulsar/client.ts';
import { frame, payloadOf } from '../../support/pulsar/frames.ts';
import { type PulsarSidecar, type SidecarOptions, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';
const BROKER = 'broker-1:6650';

async function carrier(sidecar: PulsarSidecar): Promise<ScriptedClient> {
  const service = sidecar.open();
  await service.connect();
  await service.lookup(TOPIC);
  service.end();
  const client = sidecar.open();
  await client.connect({ proxyToBrokerUrl: BROKER });
  return client;
}

async function two(scope: Parameters<typeof startPulsar>[0], options: SidecarOptions = {}) {
  const sidecar = await startPulsar(scope, options);
  const [busy, quiet] = [await carrier(sidecar), await carrier(sidecar)];
  const theirs = await busy.producer(`${TOPIC}-busy`);
  const producer = await quiet.producer(`${TOPIC}-quiet`);
  await busy.send(theirs, 'one');
  await quiet.send(producer, 'one');
  const connection = sidecar.cluster
    .broker()
    .open.find(({ number }) => number === sidecar.cluster.topic(`${TOPIC}-quiet`).entries[0]?.connection);
  if (connection === undefined) throw new Error('no connection for producers');
  return { sidecar, busy, quiet, theirs, producer, connection };
}

t.test('in the middle of a receipt: only the one whose receipt it is loses anything', async (t) => {
  const { sidecar, busy, quiet, theirs, producer, connection } = await two(t);
  sidecar.cluster.broker().holdAnswers('SEND');
  busy.write(busy.message(theirs, 'two').bytes);
  const receipt = frame('SEND_RECEIPT', { producerId: 0n, sequenceId: 1n });
  connection.write(receipt.subarray(0, receipt.length - 3));
  connection.reset();
  sidecar.pump();
  t.notOk(busy.isOpen);
  t.ok(quiet.isOpen, 'nothing of its own was under way');
  sidecar.cluster.broker().release();
  await quiet.send(producer, 'two');
  t.strictSame(
    sidecar.cluster.topic(`${TOPIC}-quiet`).entries.map(({ sequenceId }) => sequenceId),
    [0n, 1n],
  );
});

t.test(
  'where topics are to be kept alive, whoever has a producer open learns that it is not open any more',
  async (t) => {
    const { sidecar, busy, quiet, connection } = await two(t, { multiplexing: { keepsTopicsAlive: true } });
    const third = await carrier(sidecar);
    const closed = await third.producer(`${TOPIC}-third`);
    await third.ask('CLOSE_PRODUCER', { producerId: closed.id });
    connection.reset();
    sidecar.pump();
    t.notOk(busy.isOpen, 'it comes back at once, as it would directly');
    t.notOk(quiet.isOpen, 'however quiet it was');
    t.ok(third.isOpen, 'and who has nothing open has lost nothing');
  },
);

t.test('a client that did not say that its producer is for transactions goes on by itself', async (t) => {
  const { sidecar, busy, quiet, theirs, producer, connection } = await two(t);
  busy.write(busy.message(theirs, 'plain').bytes);
  const inOne = frame(
    'SEND',
    { producerId: theirs.id, sequenceId: 2n, numMessages: 1, txnLeast: 1n, txnMost: 2n },
    payloadOf({ producerName: theirs.name, sequenceId: 2n, publishTime: 1n }, Buffer.from('in a transaction')),
  );
  busy.write(inOne);
  sidecar.pump();
  t.ok(busy.isOpen);
  const { entries } = sidecar.cluster.topic(`${TOPIC}-busy`);
  t.strictSame(
    entries.map(({ sequenceId }) => sequenceId),
    [0n, 1n, 2n],
  );
  t.not(entries[2]?.connection, connection.number, 'over a connection of its own');
  await quiet.send(producer, 'two');
  t.strictSame(sidecar.cluster.faults, []);
});

t.test('before it took what a client wrote: that client, with nothing to lose, is read again', async (t) => {
  const sidecar = await startPulsar(t);
  const client = await carrier(sidecar);
  await client.consumer(TOPIC, 's');
  const [own] = sidecar.cluster.broker().open.filter(({ consumers }) => consumers.size > 0);
  own?.drop(sidecar.cluster.topic(TOPIC), null);
  sidecar.pump();
  for (const { remote, peer } of sidecar.network.wires) if (remote === BROKER) peer.clog(0);
  client.say('FLOW', { consumerId: 0n, permits: 1 });
  sidecar.pump();
  for (const { remote, peer } of sidecar.network.wires) if (remote === BROKER) peer.rst();
  sidecar.pump();
  t.ok(client.isOpen);
  client.say('PING', {});
  sidecar.pump();
  t.equal(client.heard('PONG').length, 1);
});

/** As `pass`, and the broker says nothing by itself. */
function quietly(sidecar: PulsarSidecar, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    sidecar.clock.advance(1000);
    sidecar.pump();
  }
}

t.test(
  'without a word: whoever is bound to a connection learns that its broker is dead, as it would directly',
  async (t) => {
    const sidecar = await startPulsar(t);
    const client = await carrier(sidecar);
    await client.consumer(TOPIC, 's');
    const [own] = sidecar.cluster.broker().open.filter(({ consumers }) => consumers.size > 0);
    quietly(sidecar, 300);
    t.ok(client.isOpen, 'a broker that is quiet and answers is not dead');
    const asked = own?.commands('PING').length ?? 0;
    t.ok(asked >= 4 && asked <= 5, `it was asked ${asked} times`);
    own?.pause();
    quietly(sidecar, 50);
    t.ok(client.isOpen);
    quietly(sidecar, 13);
    t.notOk(client.isOpen, 'it answers no PING, and its client would have gone by now');
    t.strictSame(sidecar.releaseReasons.filter((reason) => reason === 'response_timeout').length, 1);
  },
);

t.test(
  'while a client waits for one receipt and for another producer: it is lost as such, not as a fault of ours',
  async (t) => {
    const sidecar = await startPulsar(t);
    const client = await carrier(sidecar);
    const [first, second] = [await client.producer(`${TOPIC}-1`), await client.producer(`${TOPIC}-2`)];
    await client.send(first, 'one');
    await client.send(second, 'one');
    sidecar.pass(180 + 60 + 5 + 1);
    t.equal(sidecar.cluster.open, 0, 'both are parked');
    const broker = sidecar.cluster.broker();
    await client.send(first, 'two');
    broker.holdAnswers('SEND');
    broker.hold('PRODUCER');
    client.write(client.message(first, 'three').bytes);
    client.write(client.message(second, 'two').bytes);
    sidecar.pump();
    for (const each of broker.open) each.reset();
    sidecar.pump();
    t.notOk(client.isOpen);
    t.strictSame(sidecar.closeReasons, ['client_closed', 'upstream_lost']);
  },
);
