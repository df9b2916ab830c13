/** Why a producer keeps a connection of its client's own. */
import type { PinReason } from '../../contract/reasons.ts';
import { type Field, numberIn } from './message.ts';

const SHARED_ACCESS = 0n;

/** @param fields of its PRODUCER; `bulk` if nothing but the size of its messages could keep it */
export function producerKeptBy(topic: string, fields: readonly Field[]): PinReason {
  if (topic.startsWith('non-persistent://')) return 'non_persistent';
  if ((numberIn(fields, 10) ?? SHARED_ACCESS) !== SHARED_ACCESS) return 'exclusive_producer';
  return (numberIn(fields, 12) ?? 0n) !== 0n ? 'transaction' : 'bulk';
}
