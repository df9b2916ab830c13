/** A connection that several share and its broker does not read: who is taken for the cause. */
import t from 'tap';
import type { Tenancy } from '../../src/contract/multiplexing.ts';
import { STALLED_MILLISECONDS } from '../../src/core/lane-lending.ts';
import { lookAtStall } from '../../src/core/stalls.ts';
import { SWEEP_MILLISECONDS } from '../../src/core/sweep.ts';
import type { Tenant } from '../../src/core/tenant.ts';
import { Tenants } from '../../src/core/tenants.ts';

const nothing = (): undefined => undefined;
const TENANCY: Tenancy<Tenant> = {
  ...{
    exclusive: false,
    pinned: false,
    head: null,
    replaced: 0,
    owes: () => false,
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
  receive = (): boolean => true;
  answered = nothing;
  upstreamFlushed = nothing;
  onUpstreamEnd = (): boolean => false;
  upstreamLost = nothing;
  detached = nothing;
  forgetSent(): void {
    this.sentBytes = 0;
  }
  isolate(): void {
    this.isolated = true;
  }
}

function share(): { hot: Sender; quiet: Sender; look(now: number): number; stop(now: number): void } {
  const [hot, quiet] = [new Sender(), new Sender()];
  const tenants = new Tenants(TENANCY);
  tenants.add(quiet);
  tenants.add(hot);
  let since: number | null = null;
  const transport = { stalledMilliseconds: (now: number) => (since === null ? 0 : now - since) };
  return {
    ...{ hot, quiet, look: (now) => lookAtStall({ tenants, transport }, now, SWEEP_MILLISECONDS) },
    stop: (now) => {
      since = now;
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

t.test('what was sent before counts no more once the broker reads', async (t) => {
  const { hot, quiet, look, stop } = share();
  quiet.sentBytes += 1_000_000;
  look(0);
  hot.sentBytes += 1000;
  stop(100);
  look(100 + STALLED_MILLISECONDS);
  t.ok(hot.isolated);
  t.notOk(quiet.isolated, 'that was taken long ago');
});
