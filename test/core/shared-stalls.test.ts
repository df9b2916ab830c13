/** A connection that several share and its broker does not read: who is taken for the cause. */
import t from 'tap';
import type { Tenancy } from '../../src/contract/multiplexing.ts';
import { STALLED_MILLISECONDS } from '../../src/core/lane-lending.ts';
import { lookAtStall } from '../../src/core/stalls.ts';
import { SWEEP_MILLISECONDS } from '../../src/core/sweep.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { Tenants } from '../../src/core/tenants.ts';
import { UpstreamRecord } from '../../src/core/upstream-record.ts';

const nothing = (): undefined => undefined;
const TENANCY: Tenancy<Tenant> = {
  ...{
    exclusive: false,
    pinned: false,
    head: null,
    replaced: 0,
    owes: (tenant) => tenant instanceof Sender && tenant.isOwed,
    keeps: () => false,
    prepare: () => null,
  },
  ...{ admit: nothing, leave: nothing, park: nothing, renewal: nothing, gone: () => [] },
};

class Sender implements Tenant {
  readonly sending = false;
  readonly pinned = false;
  readonly pinnedHard = false;
  sentBytes = 0;
  isolated = false;
  isOwed = true;
  receive = (): boolean => true;
  answered = nothing;
  upstreamFlushed = nothing;
  onUpstreamEnd = (): boolean => false;
  upstreamLost = nothing;
  detached = nothing;
  fadeSent(): void {
    this.sentBytes /= 2;
  }
  isolate(): void {
    this.isolated = true;
  }
}

interface Share {
  readonly hot: Sender;
  readonly quiet: Sender;
  /** The broker takes nothing from `now` on. */
  stop(now: number): void;
  /** So many requests are written, of so many bytes each. */
  write(sender: Sender, requests: number, bytes: number): void;
  /** The broker answers the oldest of them. */
  answer(requests: number): void;
  /** @returns seconds */
  look(now: number): number;
}

function share(): Share {
  const [hot, quiet] = [new Sender(), new Sender()];
  const tenants = new Tenants(TENANCY);
  tenants.add(quiet);
  tenants.add(hot);
  const record = new UpstreamRecord(0);
  const session = { owed: 0 };
  let since: number | null = null;
  const upstream = {
    ...{ tenants, session, isBehind: (owed: number) => record.isBehind(owed) },
    transport: { stalledMilliseconds: (now: number) => (since === null ? 0 : now - since) },
  };
  return {
    ...{ hot, quiet, look: (now) => lookAtStall(upstream, now, SWEEP_MILLISECONDS) },
    stop: (now) => {
      since = now;
    },
    write: (sender, requests, bytes) => {
      sender.sentBytes += requests * bytes;
      for (let count = 0; count < requests; count += 1) record.noteRequest(0, 1, true);
      session.owed += requests;
    },
    answer: (requests) => {
      session.owed -= requests;
    },
  };
}

t.test('who filled a connection is the cause of its stall, although it has waited since', async (t) => {
  const { hot, quiet, look, stop } = share();
  look(0);
  hot.sentBytes += 4_000_000;
  stop(200);
  for (let now = SWEEP_MILLISECONDS; now <= 200 + STALLED_MILLISECONDS; now += SWEEP_MILLISECONDS) look(now);
  quiet.sentBytes += 100; // its first message waits behind the others
  look(200 + STALLED_MILLISECONDS + SWEEP_MILLISECONDS);
  t.ok(hot.isolated, 'it gets a connection of its own');
  t.notOk(quiet.isolated, 'and who has sent next to nothing stays');
});

t.test('what was sent long before counts no more', async (t) => {
  const { hot, quiet, look, stop } = share();
  quiet.sentBytes += 1_000_000;
  for (let now = 0; now < 20_000; now += SWEEP_MILLISECONDS) look(now);
  hot.sentBytes += 1000;
  stop(20_100);
  look(20_100 + STALLED_MILLISECONDS);
  t.ok(hot.isolated);
  t.notOk(quiet.isolated, 'that was taken long ago');
});

t.test('a broker that answers one of them slowly is noticed, although it takes all that is written', async (t) => {
  const { hot, quiet, write, answer, look } = share();
  look(0);
  write(hot, 300, 1000);
  let seconds = 0;
  for (let sweep = 1; sweep <= 4; sweep += 1) {
    answer(20);
    write(quiet, 1, 100);
    seconds += look(sweep * SWEEP_MILLISECONDS);
  }
  t.ok(hot.isolated, 'who has sent more than the broker takes of it');
  t.notOk(quiet.isolated);
  t.equal(seconds, 1, 'two looks of four, the first ones had nothing to compare with');
});

t.test('a broker that answers within the interval is not behind, however much there is to answer', async (t) => {
  const { hot, write, answer, look } = share();
  let seconds = 0;
  for (let sweep = 0; sweep < 10; sweep += 1) {
    write(hot, 1000, 1000);
    seconds += look(sweep * SWEEP_MILLISECONDS);
    answer(1000);
  }
  t.equal(seconds, 0);
  t.notOk(hot.isolated);
});

t.test('who waits for nothing is not the cause, and where one alone waits there is nobody to be spared', async (t) => {
  for (const [hotIsOwed, quietIsOwed] of [
    [false, true],
    [true, false],
  ] as const) {
    const { hot, quiet, write, look } = share();
    write(hot, 10, 1000);
    write(quiet, 1, 100);
    hot.isOwed = hotIsOwed;
    quiet.isOwed = quietIsOwed;
    for (let sweep = 0; sweep < 10; sweep += 1) look(sweep * SWEEP_MILLISECONDS);
    t.notOk(hot.isolated);
    t.notOk(quiet.isolated);
  }
});

t.test('where none sends more than all others, a slow broker is nobody’s fault', async (t) => {
  const { hot, quiet, write, look } = share();
  write(hot, 10, 1000);
  write(quiet, 10, 1000);
  for (let sweep = 0; sweep < 10; sweep += 1) look(sweep * SWEEP_MILLISECONDS);
  t.notOk(hot.isolated);
  t.notOk(quiet.isolated);
});
