/** What the checks between keys report. */
import type { KeyPath } from './fault.ts';

export interface RuleFault {
  /** The keys concerned, most telling first: the fault is shown at the first one that the file has. */
  readonly at: readonly KeyPath[];
  /** Other keys that the judgement rests on; with `mark: 'key'` also those inside of `at`, if it does. */
  readonly on: readonly KeyPath[];
  /** Whether it is the value or the presence of the key that is wrong. */
  readonly mark: 'key' | 'value';
  readonly message: string;
}
