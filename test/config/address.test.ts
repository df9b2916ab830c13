import fc from 'fast-check';
import t from 'tap';
import {
  collide,
  formatAddress,
  isLoopback,
  isWildcard,
  parseAddress,
  reaches,
  readAddress,
} from '../../src/config/address.ts';

t.test('an address is a host and a port, with IPv6 in brackets', async (t) => {
  t.strictSame(readAddress('broker-1.internal:9092'), { host: 'broker-1.internal', port: 9092 });
  t.strictSame(readAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  t.strictSame(readAddress('[::1]:65535'), { host: '::1', port: 65535 });
  t.strictSame(readAddress('[fe80::1%eth0]:1'), { host: 'fe80::1%eth0', port: 1 });
  t.strictSame(readAddress('my_service:80'), { host: 'my_service', port: 80 });
});

t.test('what is no address is refused with what to write instead', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /such as 127.0.0.1:9092/],
    ['broker', /such as/],
    ['broker:', /such as/],
    ['[::1]', /such as/],
    [':9092', /name a host/],
    ['kafka://broker:9092', /without a scheme/],
    ['::1:9092', /in brackets/],
    ['a:1:2', /in brackets/],
    ['[broker]:9092', /neither a host name/],
    ['[127.0.0.1]:9092', /neither a host name/],
    ['1.2.3:9092', /neither a host name/],
    ['256.1.1.1:9092', /neither a host name/],
    ['-a:9092', /neither a host name/],
    ['a..b:9092', /neither a host name/],
    ['a b:9092', /neither a host name/],
    [`${'a'.repeat(64)}:1`, /neither a host name/],
    ['a:65536', /from 0 to 65535/],
    ['a:-1', /from 0 to 65535/],
    ['a:0x10', /from 0 to 65535/],
    ['a:9092 ', /from 0 to 65535/],
  ];
  for (const [text, message] of cases) {
    const read = readAddress(text);
    t.match('fault' in read ? read.fault : '', message, JSON.stringify(text));
  }
  t.throws(() => parseAddress('broker'), { name: 'TypeError' });
});

t.test('an address that is written and read again is the same', async () => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((ip) => !ip.includes('%')),
    fc.domain(),
  );
  fc.assert(
    fc.property(host, fc.nat(65535), (host, port) => {
      const read = readAddress(formatAddress({ host, port }));
      return !('fault' in read) && read.host === host && read.port === port;
    }),
  );
});

t.test('reading an address never throws', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readAddress(text);
    }),
  );
});

t.test('loopback and wildcard addresses are known in every spelling', async (t) => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LocalHost.']) {
    t.equal(isLoopback(host), true, host);
    t.equal(isWildcard(host), false, host);
  }
  for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) {
    t.equal(isWildcard(host), true, host);
    t.equal(isLoopback(host), false, host);
  }
  for (const host of ['10.0.0.1', 'broker', '127.example', 'fe80::1%eth0']) {
    t.equal(isLoopback(host) || isWildcard(host), false, host);
  }
});

t.test('two listeners collide where both would be bound to one address', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['127.0.0.1:1', '127.0.0.1:1', true],
    ['127.0.0.1:1', '127.0.0.1:2', false],
    ['127.0.0.1:0', '127.0.0.1:0', false],
    ['127.0.0.1:1', '127.0.0.2:1', false],
    ['127.0.0.1:1', '0.0.0.0:1', true],
    ['127.0.0.1:1', '[::]:1', true],
    ['[::1]:1', '[::]:1', true],
    ['[::1]:1', '0.0.0.0:1', false],
    ['[::]:1', '0.0.0.0:1', true],
    ['localhost:1', '127.0.0.1:1', true],
    ['localhost:1', '[::1]:1', true],
    ['localhost:1', '127.0.0.2:1', false],
    ['[0:0::1]:1', '[::1]:1', true],
    ['Host:1', 'host.:1', true],
    ['host:1', 'other:1', false],
  ];
  for (const [a, b, expected] of cases) {
    t.equal(collide(parseAddress(a), parseAddress(b)), expected, `${a} and ${b}`);
    t.equal(collide(parseAddress(b), parseAddress(a)), expected, `${b} and ${a}`);
  }
});

t.test('a dial reaches a listener for all addresses only from the same machine, as far as names tell', async (t) => {
  t.equal(reaches(parseAddress('localhost:9092'), parseAddress('0.0.0.0:9092')), true);
  t.equal(reaches(parseAddress('broker:9092'), parseAddress('0.0.0.0:9092')), false);
  t.equal(reaches(parseAddress('broker:9092'), parseAddress('broker:9092')), true);
});
