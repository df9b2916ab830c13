import t from 'tap';
import { brokerAt } from '../../../src/protocols/pulsar/broker-url.ts';
import { KnownBrokers } from '../../../src/protocols/pulsar/known-brokers.ts';

const A = brokerAt('a:6650')!;
const WAY = { host: 'proxy', port: 6650 };
const OTHER_WAY = { host: 'proxy-2', port: 6650 };

t.test('only a broker that was named is known', async (t) => {
  const brokers = new KnownBrokers();
  t.notOk(brokers.has('a:6650'));
  t.strictSame(brokers.learn(A, null), A);
  t.ok(brokers.has('a:6650'));
  t.notOk(brokers.has('a:6651'));
});

t.test('a broker behind a proxy is dialled there, by a way that does not change before it may be closed', async (t) => {
  const brokers = new KnownBrokers();
  t.strictSame(brokers.learn(A, WAY), { node: 'a:6650', ...WAY });
  t.strictSame(brokers.learn(A, OTHER_WAY), { node: 'a:6650', ...WAY });
  brokers.forgetWays();
  t.ok(brokers.has('a:6650'));
  t.strictSame(brokers.learn(A, OTHER_WAY), { node: 'a:6650', ...OTHER_WAY });
  t.strictSame(brokers.learn(A, null), A, 'a broker that is reached directly is');
});

t.test('a broker that is its own proxy is dialled at its address', async (t) => {
  const brokers = new KnownBrokers();
  t.strictSame(brokers.learn(A, A), A);
  t.strictSame(brokers.learn(A, WAY), { node: 'a:6650', ...WAY });
});

t.test('what is remembered is bounded, and those named last are remembered', async (t) => {
  const brokers = new KnownBrokers();
  brokers.learn(A, null);
  for (let port = 1; port <= 4096; port += 1) {
    if (port === 4000) brokers.learn(A, null);
    brokers.learn(brokerAt(`b:${port}`)!, null);
  }
  t.ok(brokers.has('a:6650'));
  t.notOk(brokers.has('b:1'));
  t.ok(brokers.has('b:4096'));
});
