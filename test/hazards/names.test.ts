/** H40: names that mean another address than before, or several. */
import dns from 'node:dns';
import t, { type Test } from 'tap';
import { produce } from '../../src/demo/kafka/messages/produce.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { createTopic, produceTo, valuesOf } from './requests.ts';
import { connect, startSidecar } from './sidecar.ts';

const NAME = 'broker.example.invalid';

/** What `NAME` means from now on, and how often somebody asked. */
interface Zone {
  addresses: string[];
  asked: number;
}

function resolver(t: Test, ...addresses: string[]): Zone {
  const zone: Zone = { addresses, asked: 0 };
  const { lookup } = dns;
  const own = (name: string, options: dns.LookupOptions, callback: (...found: unknown[]) => void): void => {
    if (name !== NAME) {
      Reflect.apply(lookup, dns, [name, options, callback]);
      return;
    }
    zone.asked += 1;
    const found = zone.addresses.map((address) => ({ address, family: 4 }));
    const [first] = found;
    setImmediate(() => {
      if (first === undefined) callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));
      else if (options.all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
  Reflect.set(dns, 'lookup', own);
  t.teardown(() => Reflect.set(dns, 'lookup', lookup));
  return zone;
}

t.test('a name is asked for at each dial: when it moves, new connections follow and old ones stay', async (t) => {
  const zone = resolver(t, '127.0.0.1');
  const here = await startCluster(t, { brokers: 1, clusterId: 'moving' });
  const { port } = here.broker(1);
  here.advertise = () => ({ host: NAME, port });
  createTopic(here);
  const there = await startCluster(t, {
    ...{ brokers: 1, clusterId: 'moving', host: '127.0.0.2', ports: [port] },
    advertise: () => ({ host: NAME, port }),
  });
  createTopic(there);
  const sidecar = await startSidecar(t, here, { upstream: { bootstrap: [{ host: NAME, port }] } });
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['before']));
  const asked = zone.asked;
  zone.addresses = ['127.0.0.2'];
  await client.ask(produce, 9, produceTo(1, ['over the open connection']));
  t.strictSame(valuesOf(here), ['before', 'over the open connection']);
  await sidecar.asleep(here);
  await client.ask(produce, 9, produceTo(1, ['after']));
  t.ok(zone.asked > asked);
  t.strictSame(valuesOf(there), ['after']);
  t.strictSame(valuesOf(here), ['before', 'over the open connection']);
  t.strictSame(sidecar.closes, []);
});

t.test('of several addresses the next one is tried when one refuses', async (t) => {
  resolver(t, '127.0.0.3', '127.0.0.4', '127.0.0.1');
  const cluster = await startCluster(t, { brokers: 1 });
  const { port } = cluster.broker(1);
  cluster.advertise = () => ({ host: NAME, port });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, { upstream: { bootstrap: [{ host: NAME, port }] } });
  const client = await connect(t, sidecar, 1);
  await client.ask(produce, 9, produceTo(1, ['one']));
  t.strictSame(valuesOf(cluster), ['one']);
  t.strictSame(sidecar.of('upstream.dial_failed'), []);
});

t.test('a name that means nothing for a while is a broker that cannot be reached, and no more', async (t) => {
  const zone = resolver(t, '127.0.0.1');
  const cluster = await startCluster(t, { brokers: 1 });
  const { port } = cluster.broker(1);
  cluster.advertise = () => ({ host: NAME, port });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster, { upstream: { bootstrap: [{ host: NAME, port }] } });
  const client = await connect(t, sidecar, 1);
  const idle = await connect(t, sidecar, 1);
  await sidecar.asleep(cluster);
  zone.addresses = [];
  client.send(produce, 9, produceTo(1, ['lost']));
  t.equal(await client.ended(), 'reset');
  t.strictSame(new Set(sidecar.of('upstream.dial_failed').map(({ reason }) => reason)), new Set(['unresolvable']));
  zone.addresses = ['127.0.0.1'];
  await idle.ask(produce, 9, produceTo(1, ['found']));
  t.strictSame(valuesOf(cluster), ['found']);
});
