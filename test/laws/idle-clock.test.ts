/**
 * LAW: a connection goes between `connectionMaxIdleSeconds` and that and the detector's interval and spread after its last
 * valid data, and nothing but valid data keeps it.
 */
import t from 'tap';
import { DETECTION_INTERVAL_SECONDS, MAX_IDLE_SECONDS, SPREAD_SECONDS, startSidecar } from './sidecar.ts';
import { type Exchange, oneOfEach } from './specimen.ts';
import { WHOLE_SPECIMENS } from './specimens.ts';

const LATEST_SECONDS = MAX_IDLE_SECONDS + DETECTION_INTERVAL_SECONDS + SPREAD_SECONDS + 1;
const HOUSEKEEPING_EVERY_SECONDS = 20;

/** A pin for life outlasts all clocks; one of acks=0 ends with its fence, and one of an opaque stream never began to end. */
const isPinnedForLife = ({ pin }: Exchange): boolean => pin !== undefined && pin !== 'acks_zero' && pin !== 'opaque';

for (const specimen of WHOLE_SPECIMENS) {
  const working = oneOfEach(specimen.exchanges).filter(({ work }) => work);
  const housekeeping = oneOfEach(specimen.exchanges).filter((each) => !each.work && !isPinnedForLife(each));

  t.test(`${specimen.name}: valid data keeps its connection for the idle time, and no longer`, async (t) => {
    for (const exchange of working.filter((each) => !isPinnedForLife(each))) {
      const sidecar = await startSidecar(t, specimen);
      sidecar.connect().send(exchange.request(1));
      sidecar.pass(MAX_IDLE_SECONDS - 1);
      t.equal(sidecar.open, 1, exchange.name);
      sidecar.pass(LATEST_SECONDS - MAX_IDLE_SECONDS + 1);
      t.equal(sidecar.open, 0, exchange.name);
      t.strictSame(sidecar.faults, []);
    }
  });

  t.test(`${specimen.name}: a pin for life keeps its connection until its client goes`, async (t) => {
    for (const exchange of working.filter(isPinnedForLife)) {
      const sidecar = await startSidecar(t, specimen);
      const application = sidecar.connect();
      application.send(exchange.request(1));
      sidecar.pass(2 * LATEST_SECONDS);
      t.equal(sidecar.open, 1, exchange.name);
      application.end();
      sidecar.pass(LATEST_SECONDS);
      t.equal(sidecar.open, 0, exchange.name);
      t.strictSame(sidecar.faults, []);
    }
  });

  t.test(`${specimen.name}: housekeeping does not keep the connection of valid data`, async (t) => {
    const [work] = working.filter(({ pin }) => pin === undefined);
    if (work === undefined) return;
    for (const exchange of housekeeping) {
      const sidecar = await startSidecar(t, specimen);
      const [worker, sleeper] = [sidecar.connect(), sidecar.connect()];
      worker.send(work.request(1));
      const [connection] = sidecar.served;
      for (let second = 0; second < LATEST_SECONDS; second += HOUSEKEEPING_EVERY_SECONDS) {
        sleeper.send(exchange.request(second));
        sidecar.pass(HOUSEKEEPING_EVERY_SECONDS);
      }
      t.ok(connection?.peer.ended, exchange.name);
      t.ok(sleeper.heard.length > 0, 'and it was answered');
      t.strictSame(sidecar.faults, []);
    }
  });

  t.test(`${specimen.name}: a connection that was dialled for housekeeping alone is gone in seconds`, async (t) => {
    for (const exchange of housekeeping) {
      const sidecar = await startSidecar(t, specimen);
      const application = sidecar.connect();
      for (let id = 1; id <= 3; id += 1) {
        application.send(exchange.request(id));
        sidecar.pass(5);
        t.equal(sidecar.open, 0, exchange.name);
      }
      t.strictSame(application.heard, Buffer.concat([1, 2, 3].map((id) => exchange.seen(id))), exchange.name);
      t.strictSame(sidecar.faults, []);
    }
  });
}
