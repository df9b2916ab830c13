/** What was sent against what the brokers hold: every message once, in order within each partition. */

/** `topic-partition` to the values it holds, `NAME NUMBER` each, in the order of their offsets. */
export type Held = Readonly<Record<string, readonly string[]>>;

export interface Verdict {
  readonly held: number;
  /** `NAME NUMBER` that was acknowledged and is nowhere. */
  readonly lost: readonly string[];
  /** `NAME NUMBER` that is there more than once. */
  readonly doubled: readonly string[];
  /** `PARTITION: NAME NUMBER after NUMBER` */
  readonly disordered: readonly string[];
  /** Values that nobody sent. */
  readonly foreign: readonly string[];
}

/** @param sent messages of each client, numbered from 0 */
export function verdict(sent: Readonly<Record<string, number>>, held: Held): Verdict {
  const seen = new Map<string, number>();
  const disordered: string[] = [];
  const foreign: string[] = [];
  let total = 0;
  for (const [partition, values] of Object.entries(held)) {
    const last = new Map<string, number>();
    for (const value of values) {
      total += 1;
      seen.set(value, (seen.get(value) ?? 0) + 1);
      const space = value.lastIndexOf(' ');
      const name = value.slice(0, space);
      const number = Number(value.slice(space + 1));
      if (!(number < (sent[name] ?? 0))) foreign.push(value);
      const before = last.get(name);
      if (before !== undefined && number < before) disordered.push(`${partition}: ${value} after ${before}`);
      last.set(name, Math.max(number, before ?? 0));
    }
  }
  const lost = Object.entries(sent).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, number) => `${name} ${number}`).filter((value) => !seen.has(value)),
  );
  const doubled = [...seen].filter(([, count]) => count > 1).map(([value]) => value);
  return { held: total, lost, doubled, disordered, foreign };
}

/** The verdict of a run in which nothing went wrong. */
export function flawless(held: number): Verdict {
  return { held, lost: [], doubled: [], disordered: [], foreign: [] };
}

/** The value below which `share` of the samples lie; NaN without any. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
