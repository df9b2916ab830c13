/** The number of connections at each broker over time, looked at ten times a second. */
const EVERY_MILLISECONDS = 100;

/** Whose broker connections can be counted, by broker. */
export interface Counted {
  connections(): ReadonlyMap<number, number>;
}

interface Sample {
  readonly at: number;
  readonly counts: readonly number[];
}

export interface Peak {
  /** The most at any one broker. */
  readonly broker: number;
  /** The most at all of them together. */
  readonly total: number;
}

export class ConnectionWatch {
  readonly #samples: Sample[] = [];
  readonly #way: Counted;
  readonly #timer: NodeJS.Timeout;

  constructor(way: Counted) {
    this.#way = way;
    this.#look();
    this.#timer = setInterval(() => this.#look(), EVERY_MILLISECONDS);
  }

  #look(): void {
    this.#samples.push({ at: performance.now(), counts: [...this.#way.connections().values()] });
  }

  /** @param from and `to`: as of `performance.now()` */
  peak(from = 0, to = Number.POSITIVE_INFINITY): Peak {
    const peak = { broker: 0, total: 0 };
    for (const { at, counts } of this.#samples) {
      if (at < from || at > to) continue;
      peak.broker = Math.max(peak.broker, ...counts);
      peak.total = Math.max(peak.total, total(counts));
    }
    return peak;
  }

  /** Connections times the seconds that they were held. */
  connectionSeconds(from = 0, to = Number.POSITIVE_INFINITY): number {
    let sum = 0;
    for (const [index, { at, counts }] of this.#samples.entries()) {
      const next = this.#samples[index + 1];
      if (next !== undefined && at >= from && at <= to) sum += (total(counts) * (next.at - at)) / 1000;
    }
    return sum;
  }

  /** When the last connection was seen; undefined if there was none. */
  lastSeen(from = 0): number | undefined {
    return this.#samples.findLast(({ at, counts }) => at >= from && total(counts) > 0)?.at;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
