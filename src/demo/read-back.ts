/** What the brokers hold, held against what was sent. */
import type { Message } from './kafka/state/record.ts';

export interface ReadBack {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
}

/** @param sent number of messages by key; their values count from 0 */
export function readBack(messages: readonly Message[], sent: ReadonlyMap<string, number>): ReadBack {
  const seen = new Map<string, number[]>([...sent.keys()].map((key) => [key, []]));
  for (const { key, value } of messages) seen.get(key?.toString() ?? '')?.push(Number(value?.toString()));
  let received = 0;
  let lost = 0;
  let doubled = 0;
  let disordered = 0;
  for (const [key, count] of sent) {
    const numbers = seen.get(key) ?? [];
    const distinct = new Set(numbers).size;
    received += distinct;
    lost += count - distinct;
    doubled += numbers.length - distinct;
    disordered += numbers.filter((number, index) => number < (numbers[index - 1] ?? number)).length;
  }
  return { sent: [...sent.values()].reduce((sum, count) => sum + count, 0), received, lost, doubled, disordered };
}
