/** What members of groups say that they took. */
import type { Driver } from '../clients/driver.ts';

export interface MemberState {
  /** `topic-partition` */
  readonly assigned: readonly string[];
  /** Offsets by `topic-partition`, in the order in which they came. */
  readonly records: Readonly<Record<string, readonly number[]>>;
}

export type MemberStates = Readonly<Record<string, MemberState>>;

export interface Taken {
  /** Different messages. */
  readonly taken: number;
  /** How often one was taken again. */
  readonly repeated: number;
}

/** The members that one driver runs. */
export function memberStates(driver: Driver): Promise<MemberStates> {
  return driver.request<MemberStates>('received', {});
}

export function takenBy(states: MemberStates): Taken {
  const all = Object.values(states).flatMap(({ records }) =>
    Object.entries(records).flatMap(([partition, offsets]) => offsets.map((offset) => `${partition} ${offset}`)),
  );
  const taken = new Set(all).size;
  return { taken, repeated: all.length - taken };
}
