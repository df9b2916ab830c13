import t from 'tap';
import { LocalPorts } from '../../../src/protocols/pulsar/local-ports.ts';

t.test('brokers get the ports of the configuration, else the next one from the base, and keep it', async (t) => {
  const ports = new LocalPorts(7000, { 'b:6650': 7001 });
  t.equal(ports.of('a:6650'), 7000);
  t.equal(ports.of('b:6650'), 7001, 'given');
  t.equal(ports.of('c:6650'), 7002, 'a given port is nobody else’s');
  t.equal(ports.of('a:6650'), 7000, 'the same again');
});

t.test('a broker without a port says which key to change', async (t) => {
  t.match(new LocalPorts(undefined, {}).of('a:6650'), { fault: /brokers\.ports/ });
  t.match(new LocalPorts(undefined, {}).of('toString'), { fault: /brokers\.ports/ }, 'no name of an object is a port');
  const full = new LocalPorts(65_535, {});
  t.equal(full.of('a:6650'), 65_535);
  t.match(full.of('b:6650'), { fault: /brokers\.portBase/ });
});
