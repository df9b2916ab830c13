/** The coordinator of transactions in an embedded cluster: who may go on, who is fenced, and what becomes of the rest. */
import t from 'tap';
import { ErrorCode } from '../../../src/demo/kafka/state/error-codes.ts';
import { Timers } from '../../../src/demo/kafka/state/timers.ts';
import {
  type ProducerIdentity,
  type TransactionEnd,
  Transactions,
} from '../../../src/demo/kafka/state/transactions.ts';

const NEW: ProducerIdentity = { producerId: -1, producerEpoch: -1 };
const PARTITIONS = [{ topic: 'orders', partition: 0 }];
const TIMEOUT_MILLISECONDS = 60_000;

/** Nothing is due by itself. */
class ManualTimers extends Timers {
  readonly due = new Map<() => void, number>();

  override after(milliseconds: number, then: () => void): () => void {
    this.due.set(then, milliseconds);
    return () => this.due.delete(then);
  }
}

function coordinator() {
  const timers = new ManualTimers();
  const ends: TransactionEnd[] = [];
  const transactions = new Transactions(timers, (end) => ends.push(end));
  const init = (current = NEW) => transactions.init('tx', TIMEOUT_MILLISECONDS, current);
  return { timers, ends, transactions, init };
}

t.test('a producer that starts again fences its older self and aborts what that had open', async (t) => {
  const { transactions, ends, init } = coordinator();
  const first = init();
  t.equal(transactions.addPartitions('tx', first, PARTITIONS), ErrorCode.none);
  const second = init();
  t.match(second, { errorCode: ErrorCode.none, producerId: first.producerId, producerEpoch: first.producerEpoch + 1 });
  t.match(ends, [{ committed: false, partitions: PARTITIONS, producerEpoch: second.producerEpoch }]);
  t.equal(transactions.addPartitions('tx', first, PARTITIONS), ErrorCode.producerFenced);
  t.match(init(first), { errorCode: ErrorCode.producerFenced });
  t.match(init(second), { errorCode: ErrorCode.none, producerEpoch: second.producerEpoch + 1 });
});

t.test('a transaction ends where it has been, once', async (t) => {
  const { transactions, ends, timers, init } = coordinator();
  const producer = init();
  transactions.addPartitions('tx', producer, PARTITIONS);
  transactions.addPartitions('tx', producer, PARTITIONS);
  transactions.addGroup('tx', producer, 'group');
  t.equal(transactions.covers('tx', producer, 'orders', 0), ErrorCode.none);
  t.equal(transactions.covers('tx', producer, 'orders', 1), ErrorCode.invalidTxnState);
  t.equal(transactions.coversGroup('tx', producer, 'other'), ErrorCode.invalidTxnState);
  t.match(transactions.end('tx', producer, true, false), { errorCode: ErrorCode.none });
  t.strictSame(
    ends.map(({ committed, partitions, groups }) => ({ committed, partitions, groups })),
    [{ committed: true, partitions: PARTITIONS, groups: ['group'] }],
  );
  t.equal(timers.due.size, 0, 'its time does not run any more');
  t.match(transactions.end('tx', producer, true, false), { errorCode: ErrorCode.none }, 'again, the answer was lost');
  t.match(transactions.end('tx', producer, false, false), { errorCode: ErrorCode.invalidTxnState }, 'not otherwise');
  t.equal(ends.length, 1);
  t.equal(transactions.covers('tx', producer, 'orders', 0), ErrorCode.invalidTxnState);
});

t.test('since EndTxn 5 every transaction has an epoch of its own, and a repeated end is told the same', async (t) => {
  const { transactions, ends, init } = coordinator();
  const producer = init();
  transactions.addPartitions('tx', producer, PARTITIONS);
  const next = transactions.end('tx', producer, true, true);
  t.match(next, { errorCode: ErrorCode.none, producerEpoch: producer.producerEpoch + 1 });
  t.strictSame(transactions.end('tx', producer, true, true), next);
  t.match(transactions.end('tx', producer, false, true), { errorCode: ErrorCode.producerFenced });
  t.equal(ends.length, 1);
  t.equal(transactions.addPartitions('tx', next, PARTITIONS), ErrorCode.none);
});

t.test('a transaction that takes too long is aborted, and its producer fenced', async (t) => {
  const { transactions, ends, timers, init } = coordinator();
  const producer = init();
  t.equal(timers.due.size, 0, 'a producer without a transaction has all the time');
  transactions.addPartitions('tx', producer, PARTITIONS);
  const [[due, milliseconds] = []] = timers.due;
  t.equal(milliseconds, TIMEOUT_MILLISECONDS);
  due?.();
  t.match(ends, [{ committed: false }]);
  t.match(transactions.end('tx', producer, true, false), { errorCode: ErrorCode.producerFenced });
});

t.test('ids that the coordinator did not give are refused', async (t) => {
  const { transactions, init } = coordinator();
  const producer = init();
  const stranger = { ...producer, producerId: producer.producerId + 1 };
  t.equal(transactions.addPartitions('tx', stranger, PARTITIONS), ErrorCode.invalidProducerIdMapping);
  t.equal(transactions.addPartitions('another', producer, PARTITIONS), ErrorCode.invalidProducerIdMapping);
  t.not(transactions.newProducer().producerId, producer.producerId);
});
