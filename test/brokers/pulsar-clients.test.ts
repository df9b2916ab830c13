/** Whatever clients of Pulsar can do, they do through the sidecar as directly. */
import t from 'tap';
import { PulsarDriver } from './pulsar/pulsar-driver.ts';
import { openPulsarWays, realPulsar } from './pulsar/pulsar-setting.ts';

const TOUR_MILLISECONDS = 60_000;
const { cluster } = await realPulsar(t, { brokers: 1 });
const ways = await openPulsarWays(t, cluster);

/** What a stop of the tour comes to when something went wrong: the error's name and text. */
const FAILED = /^\w+(Error|Exception|Timeout|Closed)?: |nothing more|too many/;

function failures(outcome: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(outcome)
    .filter(([, seen]) => FAILED.test(typeof seen === 'string' ? seen : JSON.stringify(seen)))
    .map(([name, seen]) => `${name}: ${JSON.stringify(seen).slice(0, 300)}`);
}

for (const kind of ['python', 'java'] as const) {
  await t.test(`all that a ${kind} client of Pulsar can do comes to the same`, async (t) => {
    const outcomes = [];
    // One after the other: what one sees must not hang on what the other does.
    for (const way of ways) {
      const driver = await PulsarDriver.start(kind);
      t.teardown(() => driver.stop());
      const prefix = `${way.through}-${kind}`;
      await cluster.admin.createPartitioned(`${prefix}-partitioned`, 4);
      const request = { url: way.url, prefix };
      const outcome = await driver.request<Record<string, unknown>>('tour', request, TOUR_MILLISECONDS);
      t.strictSame(failures(outcome), [], `${way.through}: nothing fails`);
      t.ok(Object.keys(outcome).length >= 12, `${way.through}: ${Object.keys(outcome).join(', ')}`);
      outcomes.push(outcome);
    }
    const [first, ...others] = outcomes;
    for (const other of others) t.strictSame(other, first, 'the sidecar changes nothing');
  });
}
