/** Transactions with commit and abort, read back by those who read committed messages only. */
import { Driver, type DriverKind } from '../clients/driver.ts';
import type { Judge } from '../judge.ts';
import type { Held } from '../ledger.ts';
import type { Way } from '../way.ts';

export interface TransactionsOutcome {
  readonly committed: readonly string[];
  /** What a reader of committed messages finds. */
  readonly visible: readonly string[];
  /** How many messages there are with the aborted ones. */
  readonly written: number;
}

const ROUNDS = 6;
const SIZE = 20;
export const WRITTEN = ROUNDS * SIZE;

function values(held: Held): string[] {
  return Object.values(held)
    .flat()
    .sort((a, b) => a.localeCompare(b));
}

/** Every other of six transactions is aborted. */
export async function transact(way: Way, judge: Judge, kind: DriverKind, prefix: string): Promise<TransactionsOutcome> {
  const topic = `${prefix}-topic`;
  await judge.createTopics([topic], 3);
  const driver = await Driver.start(kind, way.cluster.version);
  try {
    const request = { bootstrap: way.bootstrap, name: prefix, topic, rounds: ROUNDS, size: SIZE, settings: {} };
    const { committed } = await driver.request<{ committed: string[] }>('transact', request, 60_000);
    const visible = values(await judge.read([topic], 'read_committed'));
    const written = values(await judge.read([topic], 'read_uncommitted')).length;
    return { committed: [...committed].sort((a, b) => a.localeCompare(b)), visible, written };
  } finally {
    await driver.stop();
  }
}

export interface PipeOutcome {
  readonly commits: number;
  readonly aborts: number;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/** Read, process, write exactly once (Java): input offsets and output in one transaction, every third aborted. */
export async function pipe(way: Way, judge: Judge, prefix: string): Promise<PipeOutcome> {
  const [from, to] = [`${prefix}-in`, `${prefix}-out`];
  await judge.createTopics([from, to], 3);
  const driver = await Driver.start('java', way.cluster.version);
  try {
    const request = { bootstrap: way.bootstrap, settings: {} };
    const filling = { ...request, name: `${prefix}-fill`, topic: from, rounds: 3, size: 100 };
    await driver.request('transact', filling, 60_000);
    const input = values(await judge.read([from], 'read_committed'));
    const piping = { ...request, name: `${prefix}-pipe`, from, to, messages: input.length, withinMs: 60_000 };
    const counts = await driver.request<{ commits: number; aborts: number }>('pipe', piping, 70_000);
    return { ...counts, input, output: values(await judge.read([to], 'read_committed')) };
  } finally {
    await driver.stop();
  }
}
