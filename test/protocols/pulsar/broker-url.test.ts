import t from 'tap';
import { addressOf, brokerAt, brokerNamedBy } from '../../../src/protocols/pulsar/broker-url.ts';

t.test('a URL of a broker names it by its address, whether it is secured or not', async (t) => {
  const expected = { node: 'broker-1.internal:6650', host: 'broker-1.internal', port: 6650 };
  t.strictSame(brokerNamedBy('pulsar://broker-1.internal:6650'), expected);
  t.strictSame(brokerNamedBy('pulsar+ssl://broker-1.internal:6650/'), expected);
  t.strictSame(brokerAt('broker-1.internal:6650'), expected);
});

t.test('an IPv6 address stands in brackets, and is dialled without them', async (t) => {
  t.strictSame(brokerNamedBy('pulsar://[::1]:6650'), { node: '[::1]:6650', host: '::1', port: 6650 });
  t.equal(addressOf('::1', 6650), '[::1]:6650');
  t.equal(addressOf('127.0.0.1', 6650), '127.0.0.1:6650');
});

t.test('what names no single broker names none', async (t) => {
  const urls = [
    '',
    'pulsar://',
    'pulsar://host',
    'pulsar://host:0',
    'pulsar://host:65536',
    'pulsar://host:6650x',
    'pulsar://:6650',
    'pulsar://a:6650,b:6650',
    'pulsar://user@host:6650',
    'pulsar://host:6650/path',
    'pulsar://::1:6650',
    'pulsar://ho st:6650',
    'pulsar://b\u3002attacker\u3002com:6650',
    'pulsar://b\uff0eattacker:6650',
    'pulsar://b\u0000.host:6650',
    'pulsar://-b:6650',
    'pulsar://b%41:6650',
    'http://host:8080',
    'host:6650',
    `pulsar://${'h'.repeat(400)}:6650`,
  ];
  for (const url of urls) t.equal(brokerNamedBy(url), null, url);
  for (const address of ['pulsar://host:6650', 'host', 'host:', 'host:-1', '[host]:1', 'a:1,b:1', '::1:6650'])
    t.equal(brokerAt(address), null, address);
});
