/** Brokers that go, move topics or ask who one is: clients recover by themselves, and nothing is lost or doubled. */
import t from 'tap';
import { Secret } from '../../../src/contract/credential.ts';
import { Application } from '../../support/pulsar/application.ts';
import { type PulsarSidecar, startPulsar } from '../../support/pulsar/memory.ts';

const TOPIC = 'persistent://public/default/orders';

function open(sidecar: PulsarSidecar, count: number) {
  const all = Array.from({ length: count }, () => new Application(() => sidecar.open()));
  return { all, producers: all.map((each) => each.producer(TOPIC)) };
}

function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}

function recover(sidecar: PulsarSidecar, all: readonly Application[]): void {
  for (let round = 0; round < 8; round += 1) {
    sidecar.pass(5);
    for (const each of all) each.retry();
    sidecar.pump();
  }
}

for (const tells of [true, false]) {
  t.test(`a topic is unloaded under load, ${tells ? 'with' : 'without'} being told where to`, async (t) => {
    const sidecar = await startPulsar(t, { brokers: 2, cluster: { deduplication: true } });
    const { all, producers } = open(sidecar, 4);
    for (let round = 0; round < 6; round += 1) {
      for (const each of producers) each.send(`${each.name} ${round}`);
      if (round === 2) sidecar.cluster.broker().holdAnswers('SEND');
      if (round === 3) {
        sidecar.cluster.unload(TOPIC, 1, tells);
        sidecar.cluster.broker().release();
        sidecar.pump();
      }
    }
    recover(sidecar, all);
    for (const { acknowledged, pending } of producers) {
      t.equal(pending.length, 0);
      t.equal(acknowledged.length, 6);
    }
    const { entries } = sidecar.cluster.topic(TOPIC);
    t.equal(entries.length, 24);
    for (const { name } of producers)
      t.strictSame(
        entries.filter(({ producerName }) => producerName === name).map(({ sequenceId }) => sequenceId),
        [0n, 1n, 2n, 3n, 4n, 5n],
      );
    t.strictSame(
      all.flatMap(({ strayed }) => strayed),
      [],
    );
    t.ok(
      entries.some(({ connection }) =>
        sidecar.cluster.broker(1).connections.some(({ number }) => number === connection),
      ),
    );
    t.strictSame(sidecar.cluster.faults, []);
    t.strictSame(sidecar.closeReasons, []);
  });
}

t.test('a broker is killed under load and comes back', async (t) => {
  const sidecar = await startPulsar(t, { cluster: { deduplication: true } });
  const { all, producers } = open(sidecar, 4);
  for (const each of producers) each.send('one');
  sidecar.cluster.broker().holdAnswers('SEND');
  for (const each of producers) each.send('two');
  sidecar.kill(0);
  t.ok(sidecar.closeReasons.length >= 4, 'who was owed a receipt is closed, as it would be directly');
  t.ok(sidecar.closeReasons.every((reason) => reason === 'upstream_lost'));
  for (const each of producers) each.send('three');
  sidecar.cluster.broker().release();
  sidecar.serve(0);
  recover(sidecar, all);
  for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one', 'two', 'three']);
  t.equal(sidecar.cluster.topic(TOPIC).entries.length, 12);
});

t.test('a broker is killed while clients that owe nothing are silent: they do not learn of it', async (t) => {
  const sidecar = await startPulsar(t);
  const { all, producers } = open(sidecar, 4);
  for (const each of producers) each.send('one');
  sidecar.kill(0);
  t.strictSame(sidecar.closeReasons, []);
  sidecar.serve(0);
  sidecar.pass(20);
  for (const each of producers) each.send('two');
  recover(sidecar, all);
  for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one', 'two']);
  t.equal(sidecar.cluster.topic(TOPIC).entries.length, 8);
  t.strictSame(
    all.flatMap(({ errors }) => errors),
    [],
  );
});

t.test(
  'a broker that closes one shared connection in the middle of a frame takes down only who was owed',
  async (t) => {
    const sidecar = await startPulsar(t, { cluster: { deduplication: true } });
    const { all, producers } = open(sidecar, 2);
    for (const each of producers) each.send('one');
    const shared = sidecar.cluster.broker().open.find((each) => each.producers.size > 0);
    shared?.write(Buffer.from([0, 0, 0, 30, 0, 0, 0, 26, 8]));
    shared?.end();
    sidecar.pump();
    for (const each of producers) each.send('two');
    recover(sidecar, all);
    for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one', 'two']);
    t.equal(sidecar.cluster.topic(TOPIC).entries.length, 4);
  },
);

t.test('a producer that has to wait until it is ready is not sent for before', async (t) => {
  const sidecar = await startPulsar(t);
  sidecar.cluster.broker().keepsProducersWaiting = true;
  const { all, producers } = open(sidecar, 2);
  for (const each of producers) each.send('one');
  sidecar.pass(1);
  t.equal(sidecar.cluster.topic(TOPIC).entries.length, 0);
  sidecar.cluster.broker().makeReady();
  sidecar.pump();
  for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one']);
  t.strictSame([...sidecar.cluster.faults, ...all.flatMap(({ errors }) => errors)], []);
});

t.test('who is asked for a credential once more answers with what the sidecar owns', async (t) => {
  const sidecar = await startPulsar(t, {
    cluster: { credentials: new Set(['good']) },
    credential: { mechanism: 'OAUTHBEARER', token: new Secret('good'), extensions: {} },
  });
  const { producers } = open(sidecar, 2);
  for (const each of producers) each.send('one');
  for (const connection of sidecar.cluster.broker().open) connection.challenge();
  sidecar.pump();
  for (const connection of sidecar.cluster.broker().open) t.strictSame(connection.shown, ['token:good', 'token:good']);
  for (const each of producers) each.send('two');
  for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one', 'two']);
  t.strictSame(sidecar.closeReasons, []);
});

t.test('a broker that throttles one connection stops those on it, and they go on when it reads again', async (t) => {
  const sidecar = await startPulsar(t);
  const { producers } = open(sidecar, 3);
  for (const each of producers) each.send('one');
  for (const connection of sidecar.cluster.broker().open) connection.pause();
  for (const each of producers) each.send('two');
  sidecar.pass(20);
  for (const { pending } of producers) t.equal(pending.length, 1);
  for (const connection of sidecar.cluster.broker().open) connection.resume();
  sidecar.pump();
  for (const { acknowledged } of producers) t.strictSame(acknowledged, ['one', 'two']);
  t.strictSame(sidecar.closeReasons, []);
});

t.test(
  'a producer with much under way gets its own connection behind its receipts, however long a broker takes',
  async (t) => {
    const sidecar = await startPulsar(t);
    const { producers } = open(sidecar, 2);
    const [hot, quiet] = producers;
    for (const each of producers) each.send('0');
    for (const connection of sidecar.cluster.broker().open) connection.pause();
    const wanted = Array.from({ length: 80 }, (_, number) => `${number}`);
    for (const value of wanted.slice(1)) hot?.send(value);
    quiet?.send('1');
    sidecar.pass(50);
    for (const connection of sidecar.cluster.broker().open) connection.resume();
    sidecar.pump();
    t.strictSame(hot?.acknowledged, wanted);
    t.strictSame(quiet?.acknowledged, ['0', '1']);
    t.equal(sidecar.cluster.topic(TOPIC).entries.length, 82, 'each once');
    t.strictSame(sidecar.closeReasons, []);
  },
);

for (const asks of ['keepAlive', 'challenge'] as const) {
  t.test(`a broker that asks in the middle of a large message (${asks}) is answered behind it`, async (t) => {
    const sidecar = await startPulsar(t, {
      cluster: { credentials: new Set(['good']) },
      credential: { mechanism: 'OAUTHBEARER', token: new Secret('good'), extensions: {} },
    });
    const broker = sidecar.cluster.broker();
    const client = sidecar.open();
    await client.connect();
    await client.lookup(TOPIC);
    const carrier = sidecar.open();
    await carrier.connect({ proxyToBrokerUrl: broker.address });
    const producer = await carrier.producer(TOPIC);
    const [first, second] = [
      carrier.message(producer, 'x'.repeat(200_000)),
      carrier.message(producer, 'y'.repeat(200_000)),
    ];
    const bytes = Buffer.concat([first.bytes, second.bytes]);
    const whole = first.bytes.length;
    carrier.write(bytes.subarray(0, 100_000));
    sidecar.pump();
    for (const each of broker.open) each[asks]();
    sidecar.pump();
    const busy = broker.open.find(({ bytesIn }) => bytesIn > 50_000);
    carrier.write(bytes.subarray(100_000, whole + 100_000));
    sidecar.pump();
    const answer = asks === 'keepAlive' ? 'PONG' : 'AUTH_RESPONSE';
    t.strictSame(busy?.names.slice(-2), ['SEND', answer], 'and before the next one');
    carrier.write(bytes.subarray(whole + 100_000));
    sidecar.pump();
    t.strictSame(
      sidecar.cluster.topic(TOPIC).bodies.map((body) => `${body[0]} ${body.length}`),
      ['x 200000', 'y 200000'],
    );
    t.strictSame([...sidecar.cluster.faults, ...sidecar.closeReasons], []);
    t.equal(carrier.heard('SEND_ERROR').length, 0);
  });
}

t.test('a broker that is dead looks dead to whoever asks for it, although others are well', async (t) => {
  const sidecar = await startPulsar(t, { brokers: 2 });
  sidecar.cluster.topic(TOPIC, 1);
  const service = sidecar.open();
  await service.connect();
  await service.lookup(TOPIC);
  const carrier = sidecar.open();
  await carrier.connect({ proxyToBrokerUrl: 'broker-2:6650' });
  sidecar.kill(1);
  const late = [0, 1, 2].map(() => {
    const client = sidecar.open();
    const connected = client.connect({ proxyToBrokerUrl: 'broker-2:6650' });
    sidecar.pass(6);
    return { client, connected };
  });
  for (const { client, connected } of late) {
    await t.rejects(connected);
    t.notOk(client.isOpen);
    t.strictSame(client.names, [], 'it was not told CONNECTED');
  }
  sidecar.serve(1);
  sidecar.pass(10);
  const client = sidecar.open();
  const connected = client.connect({ proxyToBrokerUrl: 'broker-2:6650' });
  sidecar.pass(6);
  await connected;
  t.ok(service.isOpen);
});

t.test('where brokers of two versions are behind one address, clients of every version are served', async (t) => {
  const sidecar = await startPulsar(t, { cluster: { protocolVersion: 15 } });
  const first = sidecar.open();
  await first.connect();
  sidecar.cluster.broker().holdAnswers('LOOKUP');
  const lookup = first.lookup(TOPIC); // the connection for questions stays
  sidecar.pump();
  Object.assign(sidecar.cluster.options, { protocolVersion: 21 });
  const consumes = async (protocolVersion: number): Promise<boolean> => {
    const client = sidecar.open();
    await client.connect({ protocolVersion });
    const consumer = client.consumer(`${TOPIC}-${protocolVersion}`, 'sub');
    sidecar.pump();
    return succeeds(consumer);
  };
  t.notOk(await consumes(17), 'it was told what the older broker can');
  t.ok(await consumes(17), 'and the next time what the newer one can');
  t.notOk(await consumes(21));
  t.ok(await consumes(21));
  t.ok(await consumes(17));
  sidecar.cluster.broker().release();
  sidecar.pump();
  await lookup;
  t.strictSame(sidecar.closeReasons, ['versions_changed', 'versions_changed']);
});

t.test('a broker behind proxies is found by way of another one when one of them dies', async (t) => {
  const sidecar = await startPulsar(t, {
    brokers: 3,
    cluster: { standaloneLookups: true },
    upstream: {
      bootstrap: [1, 2].map((number) => ({ host: `broker-${number}`, port: 6650 })),
      dialAddresses: {},
      dialTimeoutMilliseconds: 3000,
    },
  });
  sidecar.cluster.topic(TOPIC, 2);
  const connects = async (proxyToBrokerUrl: string): Promise<boolean> => {
    const client = sidecar.open();
    const connected = succeeds(client.connect({ proxyToBrokerUrl }));
    sidecar.pass(8);
    return connected;
  };
  const first = sidecar.open();
  await first.connect();
  await first.lookup(TOPIC);
  t.match(sidecar.route.cluster.find('broker-3:6650'), { host: 'broker-1' });
  sidecar.kill(0);
  sidecar.pass(3);
  const second = sidecar.open();
  const connected = second.connect();
  sidecar.pass(3);
  await connected;
  await second.lookup(TOPIC);
  t.match(sidecar.route.cluster.find('broker-3:6650'), { host: 'broker-2' });
  t.ok(await connects('broker-3:6650'));
  await second.lookup(TOPIC);
  const moves = sidecar.events.filter((event) => event.type === 'broker.changed' && event.change === 'moved');
  t.equal(moves.length, 1, 'and stays there');
});

t.test('brokers that were learnt and are gone keep nobody from the configured one that is back', async (t) => {
  const sidecar = await startPulsar(t, { brokers: 12 });
  const service = sidecar.open();
  await service.connect();
  for (let index = 1; index < 12; index += 1) {
    sidecar.cluster.topic(`${TOPIC}-${index}`, index);
    await service.lookup(`${TOPIC}-${index}`);
  }
  sidecar.kill(0);
  for (let index = 1; index < 12; index += 1) sidecar.network.silence(`broker-${index + 1}:6650`);
  sidecar.pass(3);
  sidecar.serve(0);
  sidecar.pass(5);
  const client = sidecar.open();
  const connected = client.connect();
  sidecar.pass(5);
  await connected;
  t.notOk(sidecar.network.dials.some((address) => address !== 'broker-1:6650'));
});
