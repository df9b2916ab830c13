/** The tests' own ground: the names that brokers advertise on HIDDEN lead nowhere by themselves. */
import t from 'tap';
import { Driver } from './clients/driver.ts';
import { realKafka } from './setting.ts';
import { KAFKA_CURRENT } from './versions.ts';

const { cluster, judge } = await realKafka(t, { version: KAFKA_CURRENT, brokers: 1 });

t.test('a client that is told the brokers’ own names gets no message through', async (t) => {
  await judge.createTopics(['hidden'], 1);
  const driver = await Driver.start('librdkafka');
  t.teardown(() => driver.stop());
  const clients = [{ name: 'lost', topic: 'hidden' }];
  const settings = { 'message.timeout.ms': 2_000 };
  await driver.request('open', { bootstrap: cluster.bootstrap('HIDDEN'), clients, settings });
  await driver.request('start', { messages: 1, everyMs: 0, spreadMs: 0 });
  const { failures } = await driver.request<{ failures: string[] }>('finish', { stop: false, withinMs: 20_000 });
  t.match(failures, [/lost 0: .*MSG_TIMED_OUT/]);
  t.ok(
    driver.complaints().some((line) => line.includes('broker-1.invalid')),
    'its log names the address',
  );
});
