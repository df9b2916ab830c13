import t from 'tap';
import {
  type Connected,
  connectedFrame,
  connectFrame,
  keepsPromise,
  readConnect,
  readConnected,
  supportsAuthRefresh,
} from '../../../src/protocols/pulsar/connect.ts';
import { LearntBrokers } from '../../../src/protocols/pulsar/learnt-brokers.ts';
import { commandIn, frameOf, MessageWriter } from '../../../src/protocols/pulsar/message.ts';

const SAID: Connected = {
  serverVersion: 'Pulsar Server4.0.8',
  askedVersion: 21,
  protocolVersion: 21,
  maxMessageBytes: 5_242_880,
  features: 0b10111,
};

function read(frame: Buffer) {
  return readConnect(frame, commandIn(frame, 0));
}

t.test('a CONNECT is read as it was written', async (t) => {
  const client = { clientVersion: 'Pulsar-CPP-v3.7.0', protocolVersion: 20, features: 0b11 };
  const shown = { method: 'token', data: Buffer.from('ey\u00ff', 'latin1') };
  t.strictSame(read(connectFrame(client, shown, 'b:6650')), {
    ...client,
    authMethod: 'token',
    authData: 'ey\u00ff',
    proxyToBroker: 'b:6650',
    isProxy: false,
  });
  t.match(read(connectFrame(client, null, '')), { authMethod: 'none', authData: '', proxyToBroker: '' });
});

t.test('a proxy that speaks for somebody else is told by each of its fields', async (t) => {
  for (const number of [7, 8, 9, 11])
    t.ok(read(frameOf(2, new MessageWriter().text(1, 'v').text(number, ''))).isProxy, `field ${number}`);
  t.throws(() => read(frameOf(2, new MessageWriter().number(4, 21))), { code: 'PULSAR_MALFORMED' });
});

t.test('features that would lead past us are neither told to clients nor to brokers', async (t) => {
  const flags = new MessageWriter();
  for (let number = 1; number <= 12; number += 1) flags.flag(number, true);
  const connect = read(frameOf(2, new MessageWriter().text(1, 'v').bytes(10, flags.finish())));
  t.equal(connect.features, 0b1111111);
  const passed = connectFrame(connect, null, '');
  t.equal(read(passed).features, 0b1111111);
  t.ok(supportsAuthRefresh(connect.features));
  t.notOk(supportsAuthRefresh(0b10));
});

t.test('a feature that is set and unset again is unset, as protobuf has it', async (t) => {
  const flags = new MessageWriter().flag(2, true).flag(2, false).flag(3, true).finish();
  t.equal(read(frameOf(2, new MessageWriter().text(1, 'v').bytes(10, flags))).features, 0b100);
});

t.test('a CONNECTED is read as it was written, and a broker without a limit has the usual one', async (t) => {
  const frame = connectedFrame(SAID);
  t.strictSame(readConnected(frame, commandIn(frame, 0), 21), SAID);
  const bare = frameOf(3, new MessageWriter().text(1, 'old'));
  t.match(readConnected(bare, commandIn(bare, 0), 21), { protocolVersion: 0, maxMessageBytes: 5_242_880, features: 0 });
});

t.test('a connection whose broker can less than a client was told is not for that client', async (t) => {
  t.ok(keepsPromise(SAID, SAID));
  t.ok(keepsPromise({ ...SAID, maxMessageBytes: 6_000_000, features: 0b11111 }, SAID));
  t.notOk(keepsPromise({ ...SAID, protocolVersion: 20 }, SAID));
  t.notOk(keepsPromise({ ...SAID, maxMessageBytes: 5_000_000 }, SAID));
  t.notOk(keepsPromise({ ...SAID, features: 0b00111 }, SAID));
});

t.test('what a broker said serves those who ask in no later version', async (t) => {
  const brokers = new LearntBrokers();
  t.equal(brokers.find('', 'b:6650', 21), null);
  brokers.learn('', 'b:6650', { ...SAID, askedVersion: 15, protocolVersion: 15 });
  t.match(brokers.find('', 'b:6650', 13), { protocolVersion: 13, askedVersion: 13 });
  t.equal(brokers.find('', 'b:6650', 16), null, 'the broker may be newer');
  t.equal(brokers.find('x', 'b:6650', 13), null, 'another identity has not asked');
  t.equal(brokers.find('', 'c:6650', 13), null);
  brokers.learn('', 'b:6650', { ...SAID, askedVersion: 21, protocolVersion: 19 });
  t.match(brokers.find('', 'b:6650', 25), { protocolVersion: 19 }, 'it is no newer than that');
  brokers.forget('');
  t.equal(brokers.find('', 'b:6650', 13), null);
});

t.test('a narrower question does not take away what a broader one found, unless it contradicts it', async (t) => {
  const brokers = new LearntBrokers();
  brokers.learn('', 'b:6650', { ...SAID, askedVersion: 21, protocolVersion: 19 });
  brokers.learn('', 'b:6650', { ...SAID, askedVersion: 15, protocolVersion: 15, maxMessageBytes: 7 });
  t.match(brokers.find('', 'b:6650', 21), { protocolVersion: 19, maxMessageBytes: 7 });
  brokers.learn('', 'b:6650', { ...SAID, askedVersion: 17, protocolVersion: 14 });
  t.match(brokers.find('', 'b:6650', 21), { protocolVersion: 14 }, 'an older broker has taken its place');
});

t.test(
  'clients of every version are told something, also where a broker that answers is newer than the last',
  async (t) => {
    const brokers = new LearntBrokers();
    brokers.learn('', 'b:6650', { ...SAID, askedVersion: 21, protocolVersion: 15 });
    brokers.learn('', 'b:6650', { ...SAID, askedVersion: 17, protocolVersion: 17 });
    t.match(brokers.find('', 'b:6650', 17), { protocolVersion: 17 });
    t.match(brokers.find('', 'b:6650', 21), { protocolVersion: 17 }, 'as far as anybody knows');
    brokers.learn('', 'b:6650', { ...SAID, askedVersion: 21, protocolVersion: 21 });
    t.match(brokers.find('', 'b:6650', 21), { protocolVersion: 21 });
  },
);
