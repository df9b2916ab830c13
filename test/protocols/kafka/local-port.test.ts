import t from 'tap';
import { localPortOf } from '../../../src/protocols/kafka/local-port.ts';

t.test('a broker is served at the base port and its node id, or where it is told', async (t) => {
  t.equal(localPortOf('0', 29_092, {}), 29_092);
  t.equal(localPortOf('7', 29_092, {}), 29_099);
  t.equal(localPortOf('7', 29_092, { 7: 31_000 }), 31_000);
  t.equal(localPortOf('1001', undefined, { 1001: 31_000 }), 31_000);
  t.equal(localPortOf('0', 65_535, {}), 65_535, 'the largest port there is');
});

t.test('a broker that gets no port is told with the key to change', async (t) => {
  t.match(localPortOf('1001', 65_000, {}), { fault: /portBase 65000.*brokers\.ports/ });
  t.match(localPortOf('-1', 29_092, {}), { fault: /node id -1/ });
  t.match(localPortOf('1.5', 29_092, {}), { fault: /node id 1\.5/ });
  t.match(localPortOf('0', 0, {}), { fault: /make no port/ }, 'port 0 would be any port');
  t.match(localPortOf('3', undefined, { 4: 31_000 }), { fault: /node 3 has no port: add it to brokers\.ports/ });
});
