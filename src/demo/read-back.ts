/** What the brokers hold, held against what was sent. */
import type { Message } from './kafka/state/record.ts';

export interface ReadBack {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  /** Messages that stand behind a later one of the same producer in the same partition. */
  readonly disordered: number;
}

/**
 * @param messages partition by partition, each in the order of its log
 * @param sent number of messages by key; their values count from 0
 */
export function readBack(messages: readonly Message[], sent: ReadonlyMap<string, number>): ReadBack {
  const byKey = Map.groupBy(messages, ({ key }) => key ?? '');
  let received = 0;
  let lost = 0;
  let doubled = 0;
  let disordered = 0;
  for (const [key, count] of sent) {
    const own = byKey.get(key) ?? [];
    const distinct = new Set(own.map(({ value }) => value)).size;
    received += distinct;
    lost += count - distinct;
    doubled += own.length - distinct;
    disordered += own.filter((message, index) => stepsBack(own[index - 1], message)).length;
  }
  return { sent: [...sent.values()].reduce((sum, count) => sum + count, 0), received, lost, doubled, disordered };
}

function stepsBack(before: Message | undefined, message: Message): boolean {
  return before !== undefined && before.partition === message.partition && Number(before.value) > Number(message.value);
}
