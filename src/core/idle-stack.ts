/**
 * The quiet upstreams of one pool. Last used, first reused: the others grow cold, or nothing would ever be idle.
 * Those that the detector has chosen (`before_release`) are taken only if there is no other: that rescues them.
 */
import type { Upstream } from './upstream.ts';

export class IdleStack {
  readonly #upstreams: Upstream[] = [];

  push(upstream: Upstream): void {
    this.#upstreams.push(upstream);
  }

  /**
   * The one used last that may be lent now, taken off.
   *
   * @param notBefore only one that was heard of since then; both in the injected clock's milliseconds
   */
  pop(now: number, notBefore = Number.NEGATIVE_INFINITY): Upstream | undefined {
    const last = this.#upstreams.at(-1);
    if (last === undefined) return undefined;
    if (last.state === 'idle_marked' && last.mutedUntil <= now && last.lastTrafficTime >= notBefore)
      return this.#upstreams.pop();
    const fits = ({ mutedUntil, lastTrafficTime }: Upstream): boolean =>
      mutedUntil <= now && lastTrafficTime >= notBefore;
    return this.#take((upstream) => upstream.state === 'idle_marked' && fits(upstream)) ?? this.#take(fits);
  }

  #take(fits: (upstream: Upstream) => boolean): Upstream | undefined {
    const index = this.#upstreams.findLastIndex(fits);
    return index < 0 ? undefined : this.#upstreams.splice(index, 1)[0];
  }

  remove(upstream: Upstream): void {
    const index = this.#upstreams.indexOf(upstream);
    if (index >= 0) this.#upstreams.splice(index, 1);
  }

  get size(): number {
    return this.#upstreams.length;
  }

  /** Coldest first. */
  [Symbol.iterator](): IterableIterator<Upstream> {
    return this.#upstreams[Symbol.iterator]();
  }
}
