import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

const LISTENER_OF_2 = '127.0.0.1:29094';

t.test('a listener whose broker went down while it was being bound does not open', async (t) => {
  const core = await startCore(t);
  core.network.holdsBinds = true;
  core.addBroker('2');
  core.network.refuse('broker-2:9092');
  core.connect().send('meta');
  const { listeners } = core.route;
  t.equal(listeners.find('2'), undefined, 'it is being bound');
  listeners.shut('2');
  core.network.bindNow();
  await core.settle();
  t.notOk(core.network.listening.includes(LISTENER_OF_2));
  t.strictSame(listeners.find('2'), { host: '127.0.0.1', port: 29_094 }, 'its port stays its own');
  listeners.reopen('2', core.clock.now());
  await core.settle();
  t.ok(core.network.listening.includes(LISTENER_OF_2));
});

t.test('a listener whose broker came back while it was being bound opens', async (t) => {
  const core = await startCore(t);
  core.network.holdsBinds = true;
  core.addBroker('2');
  core.connect().send('meta');
  const { listeners } = core.route;
  listeners.shut('2');
  listeners.reopen('2', core.clock.now());
  core.network.bindNow();
  await core.settle();
  t.ok(core.network.listening.includes(LISTENER_OF_2));
});
