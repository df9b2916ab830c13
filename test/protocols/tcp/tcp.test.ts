import t from 'tap';
import { Demand, Verdict } from '../../../src/contract/protocol.ts';
import { protocolNamed } from '../../../src/protocols/registry.ts';
import { RecordingSink } from '../recording-sink.ts';

function route() {
  const addresses = { find: () => undefined };
  return protocolNamed('tcp').createRoute({
    addresses,
    maxFrameBytes: 1,
    portBase: undefined,
    ports: {},
    saslPassThrough: false,
    users: null,
  });
}

const upstream = () => route().upstream<string>({ node: 'bootstrap', host: 'server', port: 1 }, '');

t.test(
  'whatever a client sends is work, goes through at once, and needs a connection of its own for life',
  async (t) => {
    const client = route().client('bootstrap', null);
    const bytes = Buffer.from('..any bytes..');
    t.equal(client.inspect(bytes, 2, 11, false, true), Verdict.forward);
    t.match(client, { size: 9, demand: Demand.pinHard, pin: 'opaque', pinned: true, work: true });
  },
);

t.test('the connection is dialled when the client is accepted, and is ready at once', async (t) => {
  t.ok(route().dialsAtAccept);
  t.equal(upstream().greeting(null), undefined);
});

t.test('whatever the server sends is work, and goes to the client as it is', async (t) => {
  const session = upstream();
  const sink = new RecordingSink();
  session.lend('a');
  session.read(Buffer.from('..answer..'), 2, 8, sink);
  t.equal(sink.delivered('a').toString(), 'answer');
  t.strictSame(sink.facts, ['worked']);
  t.equal(session.owed, 0);
});

t.test('bytes that the server sends to nobody end the connection', async (t) => {
  const sink = new RecordingSink();
  upstream().read(Buffer.from('x'), 0, 1, sink);
  t.equal(sink.failure?.reason, 'unsolicited_bytes');
});

t.test('a connection of an opaque stream is never asked anything by us', async (t) => {
  const session = upstream();
  t.equal(session.ping(), undefined);
  t.equal(session.refresh(), undefined);
});

t.test('an opaque route has no listeners but its own', async (t) => {
  t.match(route().localPort('1'), { fault: /no broker 1/ });
});
