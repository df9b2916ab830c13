import t from 'tap';
import { Demand } from '../../src/contract/protocol.ts';
import { LeaseQueue } from '../../src/core/lease-queue.ts';
import type { Waiter } from '../../src/core/tenant.ts';
import { Wait } from '../../src/core/wait.ts';
import { bystander } from '../support/bystander.ts';

function waiter(id: string, { work = true, since = 0 } = {}): Waiter {
  return {
    ...bystander,
    id,
    purpose: '',
    wait: Object.assign(new Wait(), { since, withWork: work }),
    granted: () => undefined,
    retry: () => undefined,
    refuse: () => undefined,
  };
}

const ids = (waiters: Iterable<Waiter>): string => [...waiters].map(({ id }) => id).join('');

function drain(queue: LeaseQueue): string {
  let order = '';
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) order += next.id;
  return order;
}

t.test('first come, first served, and held and pinned requests before leased ones', async (t) => {
  const queue = new LeaseQueue();
  queue.add(waiter('a'), Demand.pool);
  queue.add(waiter('b'), Demand.hold);
  queue.add(waiter('c'), Demand.pool);
  queue.add(waiter('d'), Demand.pinHard);
  queue.add(waiter('e'), Demand.pin);
  t.equal(drain(queue), 'bdeac');
});

t.test('who only wants the broker to be known is never lent an upstream', async (t) => {
  const queue = new LeaseQueue();
  queue.addLearner(waiter('l'));
  t.equal(queue.size, 1);
  t.equal(queue.leases, 0);
  t.equal(queue.shift(), undefined);
  t.equal(ids(queue.takeLearners()), 'l');
  t.equal(queue.size, 0);
});

t.test('renewed metadata lets go of housekeepers and learners, and of nobody with work', async (t) => {
  const queue = new LeaseQueue();
  queue.add(waiter('a'), Demand.pool);
  queue.add(waiter('b', { work: false }), Demand.pool);
  queue.add(waiter('c', { work: false }), Demand.hold);
  queue.addLearner(waiter('d', { work: false }));
  t.equal(ids(queue.takeHousekeepers()), 'db');
  t.equal(drain(queue), 'ca');
});

t.test('one who leaves is forgotten wherever it waits, and the others keep their order', async (t) => {
  const queue = new LeaseQueue();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => waiter(id));
  queue.add(a!, Demand.pool);
  queue.add(b!, Demand.hold);
  queue.addLearner(c!);
  queue.add(d!, Demand.pool);
  for (const leaver of [a!, b!, c!, a!]) queue.remove(leaver);
  t.equal(ids(queue), 'd');
});

t.test('taking all takes everybody once', async (t) => {
  const queue = new LeaseQueue();
  queue.add(waiter('a'), Demand.pool);
  queue.add(waiter('b'), Demand.hold);
  queue.addLearner(waiter('c'));
  t.equal(ids(queue.takeAll()), 'bac');
  t.equal(queue.size, 0);
  t.equal(ids(queue.takeAll()), '');
});

t.test('the needs name how long the first leased request has waited, not a held one', async (t) => {
  const queue = new LeaseQueue();
  queue.add(waiter('a', { since: 10 }), Demand.hold);
  t.equal(queue.needs(100).waitedMilliseconds, 0);
  queue.add(waiter('b', { since: 40 }), Demand.pool);
  queue.add(waiter('c', { since: 70 }), Demand.pool);
  queue.addLearner(waiter('d', { since: 20 }));
  t.strictSame(queue.needs(100), { urgent: 1, ordinary: 2, learners: 1, waitedMilliseconds: 60 });
});

t.test('a link is dialled for work if anybody waits with work', async (t) => {
  const queue = new LeaseQueue();
  t.notOk(queue.hasWork);
  queue.addLearner(waiter('a', { work: false }));
  queue.add(waiter('b', { work: false }), Demand.pool);
  t.notOk(queue.hasWork, 'housekeeping alone');
  queue.add(waiter('c'), Demand.pool);
  t.ok(queue.hasWork);
});
