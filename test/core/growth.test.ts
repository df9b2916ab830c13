import t from 'tap';
import { dialsWanted, type PoolNeeds } from '../../src/core/growth.ts';
import { routeOptions } from '../support/core-fixture.ts';

const NOBODY: PoolNeeds = {
  urgent: 0,
  ordinary: 0,
  learners: 0,
  waitedMilliseconds: 0,
  dialing: 0,
  coming: () => 0,
  asleep: false,
  pooled: () => 1,
};
const { pool } = routeOptions({ pool: { maxConnectionsPerBroker: 4, growAfterWaitMilliseconds: 10 } });

/** What is the case; how many dials are wanted. */
const CASES: readonly (readonly [string, Partial<PoolNeeds>, number])[] = [
  ['nobody waits', {}, 0],
  ['nobody waits and the pool is asleep', { asleep: true, pooled: () => 0 }, 0],
  ['the first request finds the pool asleep', { ordinary: 1, asleep: true, pooled: () => 0 }, 1],
  ['many find the pool asleep', { ordinary: 50, asleep: true, pooled: () => 0 }, 1],
  ['a dial is under way to a pool asleep', { ordinary: 50, asleep: true, dialing: 1, pooled: () => 0 }, 0],
  ['one has waited for less than growAfterWaitMilliseconds', { ordinary: 1, waitedMilliseconds: 9.9 }, 0],
  ['one has waited for growAfterWaitMilliseconds', { ordinary: 1, waitedMilliseconds: 10 }, 1],
  ['many have waited: leased work dials one at a time', { ordinary: 50, waitedMilliseconds: 99 }, 1],
  ['one has waited and a dial is under way', { ordinary: 50, waitedMilliseconds: 99, dialing: 1 }, 0],
  ['one has waited and an open one is being asked', { ordinary: 5, waitedMilliseconds: 99, coming: () => 1 }, 0],
  ['one has waited below the cap', { ordinary: 1, waitedMilliseconds: 99, pooled: () => 3 }, 1],
  ['one has waited at the cap', { ordinary: 1, waitedMilliseconds: 99, pooled: () => 4 }, 0],
  ['one has waited beyond the cap', { ordinary: 1, waitedMilliseconds: 99, pooled: () => 9 }, 0],
  ['the cap is full of those that are not gone yet', { ordinary: 1, asleep: true, pooled: () => 4 }, 1],
  ['a held request dials at once', { urgent: 1 }, 1],
  ['a held request dials beyond the cap', { urgent: 1, pooled: () => 4 }, 1],
  ['each held request gets a dial', { urgent: 5, pooled: () => 4 }, 5],
  ['at most eight dials are under way at once', { urgent: 20, pooled: () => 4 }, 8],
  ['dials under way count for held requests', { urgent: 5, dialing: 3 }, 2],
  ['dials under way count for the eight', { urgent: 20, dialing: 6 }, 2],
  ['eight are under way', { urgent: 20, dialing: 8 }, 0],
  ['more than eight are under way: no fewer than none', { urgent: 20, dialing: 9, coming: () => 3 }, 0],
  ['held requests are all provided for', { urgent: 3, dialing: 2, coming: () => 1 }, 0],
  [
    'leased work does not dial while held requests are provided for',
    { urgent: 1, dialing: 1, ordinary: 9, waitedMilliseconds: 99 },
    0,
  ],
  ['a client only wants the broker to be known', { learners: 1 }, 1],
  ['many want the broker to be known', { learners: 30, asleep: true, pooled: () => 0 }, 1],
  ['somebody wants it to be known and a dial is under way', { learners: 1, dialing: 1 }, 0],
];

for (const [what, needs, dials] of CASES) {
  t.test(`${dials === 0 ? 'no dial' : dials === 1 ? 'one dial' : `${dials} dials`}: ${what}`, async (t) => {
    t.equal(dialsWanted({ ...NOBODY, ...needs }, pool), dials);
  });
}
