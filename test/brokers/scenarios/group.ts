/** A consumer group whose members join and leave while messages arrive. */
import { Driver, type DriverKind } from '../clients/driver.ts';
import { Fleet } from '../fleet.ts';
import type { Judge } from '../judge.ts';
import { until } from '../until.ts';
import type { Way } from '../way.ts';
import { memberStates, type Taken, takenBy } from './taken.ts';

export const PROTOCOLS = ['classic', 'consumer'] as const;
export type GroupProtocol = (typeof PROTOCOLS)[number];

export interface GroupOptions {
  readonly kind: Exclude<DriverKind, 'platformatic'>;
  /** `consumer` is KIP-848. */
  readonly protocol: GroupProtocol;
  readonly prefix: string;
}

export interface GroupOutcome extends Taken {
  /** Messages that producers sent. */
  readonly sent: number;
  readonly complaints: readonly string[];
}

const PARTITIONS = 6;
const STABLE_MILLISECONDS = 60_000;

function settingsOf(kind: GroupOptions['kind'], protocol: GroupProtocol): object {
  switch (kind) {
    case 'librdkafka':
      // Another heartbeat is the soonest that a member hears of a rebalance.
      return protocol === 'classic'
        ? { 'heartbeat.interval.ms': 500, 'partition.assignment.strategy': 'cooperative-sticky' }
        : { 'group.protocol': 'consumer' };
    case 'java':
      return protocol === 'classic' ? { 'heartbeat.interval.ms': 500 } : { 'group.protocol': 'consumer' };
    case 'kafkajs':
      return { heartbeatInterval: 500, maxWaitTimeInMs: 500 };
  }
}

/** Waits until the given members share all partitions and nobody else has any. */
async function shared(consumers: Driver, names: readonly string[]): Promise<void> {
  await until(`${names.join(', ')} to share ${PARTITIONS} partitions`, STABLE_MILLISECONDS, async () => {
    const states = await memberStates(consumers);
    const assigned = names.map((name) => states[name]?.assigned ?? []);
    const all = assigned.flat();
    const fair = assigned.every((list) => list.length > 0);
    const whole = all.length === PARTITIONS && new Set(all).size === PARTITIONS;
    const others = Object.entries(states).some(([name, state]) => !names.includes(name) && state.assigned.length > 0);
    return fair && whole && !others ? true : JSON.stringify(Object.fromEntries(names.map((n, i) => [n, assigned[i]])));
  });
}

/** Three members; one leaves, one joins, under traffic; then every message must have been taken. */
export async function group(way: Way, judge: Judge, { kind, protocol, prefix }: GroupOptions): Promise<GroupOutcome> {
  const fleet = new Fleet({ prefix, kinds: { [kind]: 2 }, topics: 'one' });
  const consumers = await Driver.start(kind, way.cluster.version);
  try {
    await judge.createTopics(fleet.topics, PARTITIONS);
    const base = { bootstrap: way.bootstrap, group: `${prefix}-group`, topics: fleet.topics };
    const join = (...members: string[]) =>
      consumers.request('consume', { ...base, members, settings: settingsOf(kind, protocol) }, STABLE_MILLISECONDS);
    const leave = (...members: string[]) => consumers.request('leave', { members }, STABLE_MILLISECONDS);

    await fleet.open(way);
    await fleet.start(0, 50);
    await join('a', 'b');
    await shared(consumers, ['a', 'b']);
    await join('c');
    await shared(consumers, ['a', 'b', 'c']);
    await leave('a');
    await shared(consumers, ['b', 'c']);
    await join('d');
    await shared(consumers, ['b', 'c', 'd']);
    const { total, failures } = await fleet.finish(true);
    if (failures.length > 0) throw new Error(`not delivered: ${failures.slice(0, 3).join('; ')}`);

    await until(`the group to take ${total} messages`, 30_000, async () => {
      const { taken } = takenBy(await memberStates(consumers));
      return taken >= total ? true : `${taken} taken`;
    });
    const complaints = [...fleet.complaints(), ...consumers.complaints()];
    const states = await memberStates(consumers);
    await leave('b', 'c', 'd');
    return { sent: total, ...takenBy(states), complaints };
  } finally {
    await Promise.all([fleet.stop(), consumers.stop()]);
  }
}
