/** The listening sockets: one for the route and one for each broker. */
import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { asker, listener } from '../support/asker.ts';
import { CoreFixture, PORT_BASE, startCore } from '../support/core-fixture.ts';

t.test('each broker has a listener, on portBase and its id, and answers name that', async (t) => {
  const { core, ask, named } = await asker(t);
  t.strictSame(core.network.listening, ['127.0.0.1:9092', listener(1), listener(2)]);
  await ask();
  t.equal(named(), `1@${listener(1)},2@${listener(2)}`);
});

t.test('an answer that names a new broker waits until its listener is bound', async (t) => {
  const { core, app, ask, named } = await asker(t);
  core.network.holdsBinds = true;
  core.addBroker('3');
  await ask();
  t.equal(app.answers.length, 2, 'not yet');
  core.network.bindNow();
  await core.settle();
  t.equal(named(), `1@${listener(1)},2@${listener(2)},3@${listener(3)}`);
  t.match(core.eventsOf('broker.changed'), [{ broker: '3', change: 'added' }]);
  const third = core.connect(3);
  third.send('pool');
  t.equal(third.answers.length, 1);
});

t.test('a broker whose port is taken is left out as if it were down, and nobody else suffers', async (t) => {
  const { core, ask, named } = await asker(t);
  core.network.unbindable.set(PORT_BASE + 3, 'EADDRINUSE');
  core.addBroker('3');
  await ask();
  t.equal(named(), `1@${listener(1)},2@${listener(2)}`);
  t.match(core.eventsOf('listener.bind_failed'), [{ broker: '3', detail: /EADDRINUSE/ }]);
  t.equal(core.control.view().brokers.find(({ broker }) => broker === '3')?.local, null);
});

t.test('a port that was taken is tried again, and the broker is named once it is free', async (t) => {
  const { core, ask, named } = await asker(t);
  core.network.unbindable.set(PORT_BASE + 3, 'EADDRINUSE');
  core.addBroker('3');
  await ask();
  core.pass(30);
  await core.settle();
  t.ok(core.eventsOf('listener.bind_failed').length >= 2);
  core.network.unbindable.clear();
  core.pass(11);
  await core.settle();
  t.ok(core.network.listening.includes(listener(3)));
  await ask();
  t.match(named(), listener(3));
});

t.test('a broker for which no port is configured is left out, with the key to change', async (t) => {
  const { core, ask, named } = await asker(t, {
    brokersOptions: { portBase: undefined, ports: { 1: PORT_BASE + 1, 2: PORT_BASE + 2 } },
  });
  core.addBroker('3');
  await ask();
  t.equal(named(), `1@${listener(1)},2@${listener(2)}`);
  t.match(core.eventsOf('listener.bind_failed'), [{ broker: '3', detail: /brokers\.portBase/ }]);
});

t.test('the main address that cannot be bound is an error of the start', async (t) => {
  const core = new CoreFixture();
  core.network.unbindable.set(9092, 'EACCES');
  await t.rejects(core.route.start(), { code: 'EACCES' });
  await core.route.stop();
});

t.test('localhost is both loopback addresses, or the one that there is', async (t) => {
  const both = await startCore(t, { options: { listen: { host: 'localhost', port: 9092 } } });
  t.strictSame(both.network.listening.slice(0, 2), ['127.0.0.1:9092', '::1:9092']);
  const listen = both.network.listen.bind(both.network);
  const one = new CoreFixture({ options: { listen: { host: 'localhost', port: 9092 } } });
  one.network.listen = (host, port, accept) =>
    host === '::1'
      ? Promise.reject(Object.assign(new Error('no IPv6'), { code: 'EADDRNOTAVAIL' }))
      : listen(host, port + 1, accept);
  await one.route.start();
  t.equal(one.route.listeners.addressOf(BOOTSTRAP), '127.0.0.1:9093');
  await one.route.stop();
});
