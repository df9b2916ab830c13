/**
 * The detector: every interval it looks for upstreams that carried no valid data for long enough, and lets them go over
 * the time that follows. Each is looked at again, after the sockets were read, in the very tick that closes it: work
 * that arrived meanwhile rescues it.
 */
import type { Clock, Timer } from './clock.ts';
import type { RouteOptions } from './options.ts';
import { part } from './parting.ts';
import type { Pool } from './pool.ts';
import type { Upstream } from './upstream.ts';

const SPREAD_SHARE = 0.1;
const LONGEST_SPREAD_SECONDS = 5;

/** Seconds over which the releases of one look are spread. */
export function spreadSeconds(intervalSeconds: number): number {
  return Math.min(intervalSeconds * SPREAD_SHARE, LONGEST_SPREAD_SECONDS);
}

/** Milliseconds since the last valid data, or since it was opened if it never carried any. */
export function idleMilliseconds(upstream: Upstream, now: number): number {
  return now - (upstream.lastWorkTime ?? upstream.createTime);
}

/** What of an opaque stream matters to the detector. */
export interface SilentStream {
  readonly upstream: Upstream;
  close(): void;
}

export interface ReaperHooks {
  readonly clock: Clock;
  readonly random: () => number;
  readonly options: RouteOptions;
  pools(): Iterable<Pool>;
  /** Upstreams never reaped of each pool: zero while no client is open. */
  warm(): number;
  /** Opaque streams: they live as long as their client, and both sides idle and close together. */
  streams(): Iterable<SilentStream>;
  reaped(): void;
  ran(): void;
}

export class Reaper {
  readonly #hooks: ReaperHooks;
  #timer: Timer | null = null;
  #lastRun: number;

  constructor(hooks: ReaperHooks) {
    this.#hooks = hooks;
    this.#lastRun = hooks.clock.now();
  }

  start(): void {
    const { options, random, clock } = this.#hooks;
    if (!options.autoReleaseIdleConnectionsEnabled || options.connectionMaxIdleSeconds === 0) return;
    this.#lastRun = clock.now();
    this.#schedule(options.connectionIdleDetectionIntervalSeconds * 1000 * random());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #schedule(milliseconds: number): void {
    this.#timer = this.#hooks.clock.after(milliseconds, () => {
      const { clock, options } = this.#hooks;
      const interval = options.connectionIdleDetectionIntervalSeconds * 1000;
      this.#schedule(interval);
      const stalled = clock.now() - this.#lastRun > 2 * interval;
      this.#lastRun = clock.now();
      // After a stall of the process the sockets are read first, and judged then.
      if (stalled) clock.afterInput(() => this.#look());
      else this.#look();
    });
  }

  #look(): void {
    const { options } = this.#hooks;
    const idle = options.connectionMaxIdleSeconds * 1000;
    for (const stream of this.#hooks.streams()) {
      if (this.#isSilent(stream, idle)) this.#later(() => this.#isSilent(stream, idle) && this.#closeStream(stream));
    }
    for (const pool of this.#hooks.pools()) {
      for (const upstream of this.choose(pool, idle)) this.#releaseLater(pool, upstream);
    }
    this.#hooks.ran();
  }

  /** Quiet upstreams of the pool without valid data for at least so long, coldest first, the warm ones left out. */
  choose(pool: Pool, olderThanMilliseconds: number): Upstream[] {
    const now = this.#hooks.clock.now();
    const quiet = [...pool.idle].filter((upstream) => upstream.state === 'idle_marked');
    const spare = this.#spare(pool);
    return quiet.filter((upstream) => idleMilliseconds(upstream, now) >= olderThanMilliseconds).slice(0, spare);
  }

  /** How many the pool may lose. */
  #spare(pool: Pool): number {
    return Math.max(0, pool.open.size - this.#hooks.warm());
  }

  #releaseLater(pool: Pool, upstream: Upstream): void {
    upstream.beforeRelease();
    this.#later(() => this.confirm(pool, upstream));
  }

  /** At a random moment of the spread, once the sockets were read. */
  #later(judge: () => void): void {
    const { clock, options, random } = this.#hooks;
    const spread = spreadSeconds(options.connectionIdleDetectionIntervalSeconds) * 1000;
    clock.after(random() * spread, () => clock.afterInput(judge));
  }

  #isSilent({ upstream }: SilentStream, idle: number): boolean {
    return upstream.state === 'using' && idleMilliseconds(upstream, this.#hooks.clock.now()) >= idle;
  }

  #closeStream(stream: SilentStream): void {
    stream.close();
    this.#hooks.reaped();
  }

  /** The look that counts. True if it was released; if it is not, it is as it was. */
  confirm(pool: Pool, upstream: Upstream, reason: 'idle' | 'operator' = 'idle'): boolean {
    if (upstream.state !== 'before_release') return false;
    if (!upstream.isFree() || this.#spare(pool) === 0) {
      upstream.markIdle();
      return false;
    }
    const detail = reason === 'idle' ? 'no valid data for connectionMaxIdleSeconds' : 'reaped by an operator';
    part(pool, upstream, reason, detail);
    if (reason === 'idle') this.#hooks.reaped();
    return true;
  }
}
