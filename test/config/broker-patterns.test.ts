import t from 'tap';
import { allowsAnyHost, brokerFilter, isBrokerPattern } from '../../src/config/broker-patterns.ts';

/** Whether a client may name `text` where the configuration has `patterns`. */
function allows(patterns: readonly string[], host: string, port: number): boolean {
  return brokerFilter(patterns, [])(host, port);
}

t.test('without patterns a client may name those brokers alone that were configured', async (t) => {
  const allowed = brokerFilter(
    [],
    [
      { host: 'Broker-1', port: 6650 },
      { host: '::1', port: 6651 },
    ],
  );
  t.ok(allowed('broker-1', 6650));
  t.ok(allowed('BROKER-1.', 6650));
  t.ok(allowed('::1', 6651));
  t.notOk(allowed('broker-1', 6651));
  t.notOk(allowed('broker-2', 6650));
});

t.test('a pattern admits what it names and nothing beside it', async (t) => {
  const pattern = ['broker-*.pulsar.svc:6650'];
  t.ok(allows(pattern, 'broker-7.pulsar.svc', 6650));
  t.ok(allows(pattern, 'Broker-x-y.Pulsar.svc.', 6650));
  t.ok(allows(pattern, 'broker-.pulsar.svc', 6650));
  for (const host of [
    'broker-7.pulsar.svc.evil.example',
    'broker-7.evil.pulsar.svc',
    'evil.broker-7.pulsar.svc',
    'xbroker-7.pulsar.svc',
    'broker-7xpulsar.svc',
    'broker-7:1.pulsar.svc',
  ]) {
    t.notOk(allows(pattern, host, 6650), host);
  }
  t.notOk(allows(pattern, 'broker-7.pulsar.svc', 6651));
  t.notOk(allows(pattern, 'broker-7.pulsar.svc', 66500));
});

t.test('a pattern of addresses admits addresses, and no names that begin like one', async (t) => {
  t.ok(allows(['10.1.*.*:6650'], '10.1.2.3', 6650));
  for (const host of ['10.1.attacker.com', '10.1.2.com', '10.1.2.3.com', '10.1.2.', '10.1.2.300', '10.1.2', '10.1..3'])
    t.notOk(allows(['10.1.*.*:6650', '10.1.*.com.*:6650'], host, 6650), host);
  t.ok(allows(['10.1.*.com:6650'], '10.1.2.com', 6650));
});

t.test('a star stands for nothing that a resolver could take for a dot', async (t) => {
  for (const dot of ['\u3002', '\uff0e', '\uff61', '\u0000', '%', '@', '/'])
    t.notOk(allows(['broker-*:6650'], `broker-x${dot}attacker`, 6650), JSON.stringify(dot));
});

t.test('a star alone stands for every host, or for every port', async (t) => {
  t.ok(allows(['*:6650'], 'any.host.example', 6650));
  t.ok(allows(['*:6650'], '::1', 6650));
  t.notOk(allows(['*:6650'], 'any.host.example', 6651));
  t.ok(allows(['b:*'], 'b', 1));
  t.notOk(allows(['b:*'], 'c', 1));
  t.ok(allows(['10.0.*.*:6650'], '10.0.3.4', 6650));
  t.notOk(allows(['10.0.*.*:6650'], '10.1.3.4', 6650));
  t.ok(allows(['[fd00::1]:6650'], 'fd00::1', 6650));
  t.strictSame(['*:1', '*:*', 'a*:1', 'b:*'].map(allowsAnyHost), [true, true, false, false]);
});

t.test('what is no pattern of an address is told from what is one', async (t) => {
  for (const text of ['b:1', '*:*', '*:65535', 'b-*.a:1', '*.a:1', '[::1]:*', '10.*.0.1:1'])
    t.ok(isBrokerPattern(text), text);
  for (const text of [
    '',
    'b',
    '*',
    ':1',
    'b:',
    'b:0',
    'b:65536',
    'b:1*',
    'a..b:1',
    'a b:1',
    '[b]:1',
    '::1:1',
    'x://b:1',
    'a(b:1',
  ]) {
    t.notOk(isBrokerPattern(text), text);
  }
});
