/**
 * Dials for one pool: when, where to, and how long to wait after a failure.
 *
 * A broker whose dial failed is unreachable until a dial has succeeded. Dials go on with back-off as long as somebody
 * asked recently; a client that asks meanwhile waits for the next one, which is then near.
 */
import type { Credential } from '../contract/credential.ts';
import type { UpstreamTarget } from '../contract/protocol.ts';
import { concernsIdentityAlone, type DialFailure, isLoginFailure } from '../contract/reasons.ts';
import { Backoff } from './backoff.ts';
import type { Timer } from './clock.ts';
import { LoginError } from './login.ts';
import { addressOf } from './options.ts';
import type { PoolContext } from './pool-context.ts';
import { present } from './presenting.ts';
import type { Standing } from './standing.ts';
import type { Tenant } from './tenant.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamOwner } from './upstream-owner.ts';

/** With a client waiting, the next try comes within so long, so that it learns the outcome before its patience ends. */
const HURRY_MILLISECONDS = 500;
/** Dials go on at least so long after somebody asked. */
const REMEMBER_AT_LEAST_SECONDS = 60;
/** A connection that is lost sooner says that the next one may be lost as soon. */
const SHORT_LIFE_MILLISECONDS = 10_000;
const MAX_AGE_JITTER = 0.1;
const CREDENTIAL_LATE = 'what the broker is to be shown did not come within upstream.dialTimeoutMilliseconds';
/** Between dials that fail for a reason that somebody must mend. */
const LASTING = { firstMilliseconds: 5_000, largestMilliseconds: 60_000, least: 0.5 };
/** A broker that is dead behind something that accepts for it looks like one whose handshake fails. */
const MOST_AFTER_HANDSHAKE_MILLISECONDS = 10_000;

export interface SupplyHooks {
  readonly identity: string;
  readonly standing: Standing;
  /** What the next connection is for. */
  purpose(): string;
  /** In the order in which they are tried. */
  targets(): readonly UpstreamTarget[];
  /** Connections are open. */
  serves(): boolean;
  /** The login was not taken. True: another one took over, and nobody dials here any more. */
  refused(failure: DialFailure, detail: string): boolean;
  /** All targets failed: whoever waits is refused. */
  unreachable(wasReachable: boolean, failure: DialFailure): void;
  /** No more tries until somebody asks. */
  gaveUp(): void;
  /** There is no address any more: the broker left the cluster. */
  homeless(): void;
}

export class Supply {
  /** False from a failed dial until one succeeds. */
  reachable = true;
  /** True from the loss of the last open connection until a dial succeeds: the broker may be well or dead. */
  doubtful = false;
  /** The last dial failed for a reason that says nothing of the broker. */
  turnedAway = false;
  readonly #context: PoolContext;
  readonly #owner: UpstreamOwner;
  readonly #hooks: SupplyHooks;
  readonly #backoff: Backoff;
  /** Connections that were lost soon after they were opened, in a row. */
  readonly #losses: Backoff;
  /** Failures that somebody must mend, in a row. */
  readonly #lasting: Backoff;
  #pausedUntil = 0;
  #why = '';
  readonly #dialing = new Map<Upstream, Timer>();
  /** No dial before this time: connections are lost as soon as they are opened. */
  #notBefore = 0;
  #turn = 0;
  #failedInARow = 0;
  #retry: Timer | null = null;
  #retryTime = Number.POSITIVE_INFINITY;
  #askedTime: number;
  #stopped = false;

  constructor(context: PoolContext, owner: UpstreamOwner, hooks: SupplyHooks) {
    this.#context = context;
    this.#owner = owner;
    this.#hooks = hooks;
    this.#backoff = new Backoff(context.random);
    this.#losses = new Backoff(context.random);
    this.#lasting = new Backoff(context.random, LASTING);
    this.#askedTime = context.clock.now();
  }

  get dialing(): number {
    return this.#dialing.size;
  }

  /** Dials in progress. */
  upstreams(): Iterable<Upstream> {
    return this.#dialing.keys();
  }

  /** For how long no dial is made, whoever asks: it would fail as the last one did. */
  pauseMilliseconds(now: number): number {
    return Math.max(this.#pausedUntil - now, this.#hooks.standing.holdMilliseconds(now), 0);
  }

  /** Nothing is open, and nothing may be dialled for a while. */
  isBarred(now: number): boolean {
    return !this.#hooks.serves() && this.pauseMilliseconds(now) > 0;
  }

  /** Whoever asks may be served, as far as we know. */
  get serviceable(): boolean {
    // Asked for with every request: the time is read only where it matters.
    return this.reachable && (this.#hooks.serves() || !this.isBarred(this.#context.clock.now()));
  }

  /** Why no dial is made just now. */
  get why(): string {
    return `no dial is made just now: ${this.#why === '' ? 'another broker refused the login' : this.#why}`;
  }

  /** Somebody needs this broker now. */
  asked(): void {
    this.#askedTime = this.#context.clock.now();
  }

  /** One more connection is wanted: dialled now, or soon if the broker is known to be unreachable. */
  want(): void {
    if (this.#stopped) return;
    const paused = this.pauseMilliseconds(this.#context.clock.now());
    if (paused > 0) {
      if (this.#dialing.size === 0) this.#retryWithin(paused);
      return;
    }
    const pause = this.reachable ? this.#notBefore - this.#context.clock.now() : HURRY_MILLISECONDS;
    if (pause <= 0) this.#dial();
    else if (this.#dialing.size === 0) this.#retryWithin(Math.min(pause, HURRY_MILLISECONDS));
  }

  /** The last connection was lost: the next one is dialled now, unless one after the other dies young and was never lent. */
  wantAfterLoss({ leaseStart, createTime }: Upstream): void {
    const now = this.#context.clock.now();
    if (leaseStart > 0 || now - createTime >= SHORT_LIFE_MILLISECONDS) {
      this.#losses.succeeded();
    } else {
      const again = this.#losses.failures > 0;
      const delay = this.#losses.failed();
      if (again) this.#notBefore = now + delay;
    }
    this.want();
  }

  #dial(): void {
    this.#cancelRetry();
    const targets = this.#hooks.targets();
    const target = targets[this.#turn % targets.length];
    if (target === undefined) {
      this.#hooks.homeless();
      return;
    }
    const { clock, options } = this.#context;
    const upstream = this.#create(target);
    const timeOut = (): void => {
      if (upstream.state !== 'dialing') return;
      if (upstream.transport.hasSocket) this.#owner.broken(upstream, 'dial_failed', 'ETIMEDOUT');
      else this.#owner.broken(upstream, 'dial_failed', CREDENTIAL_LATE, 'credential_unavailable');
    };
    // The process may have stood still: the sockets are read first, and judged then.
    const { dialTimeoutMilliseconds } = options.upstream;
    this.#dialing.set(
      upstream,
      clock.after(dialTimeoutMilliseconds, () => clock.afterInput(timeOut)),
    );
    present(
      this.#hooks.standing.login,
      (credential) => this.#connect(upstream, credential),
      (error) => this.#unpresentable(upstream, error),
    );
  }

  #unpresentable(upstream: Upstream, error: unknown): void {
    if (!(error instanceof LoginError)) this.#context.violated(String(error));
    const [detail, failure] =
      error instanceof LoginError ? [error.message, error.failure] : ['a fault of the sidecar', undefined];
    this.#context.clock.afterInput(() => this.#owner.broken(upstream, 'dial_failed', detail, failure));
  }

  #connect(upstream: Upstream, credential: Credential | null): void {
    if (upstream.state !== 'dialing') return; // given up meanwhile
    const { clock, network, options } = this.#context;
    const { target } = upstream;
    const { tls } = this.#hooks.standing.login;
    const address = options.upstream.dialAddresses[addressOf(target)] ?? target;
    const connected = (): void => upstream.connected(credential);
    try {
      const secured = tls === null ? undefined : { tls, serverName: target.host };
      upstream.dialledOver(network.dial(address.host, address.port, upstream, connected, secured));
    } catch (error) {
      // No possible address: it looks like any other dial that failed.
      clock.afterInput(() => upstream.onClosed('error', (error as NodeJS.ErrnoException).code ?? String(error)));
    }
  }

  #create(target: UpstreamTarget): Upstream {
    const { clock, options, protocol, random } = this.#context;
    const jitter = 1 + (2 * random() - 1) * MAX_AGE_JITTER;
    const maxAge = options.pool.maxConnectionAgeSeconds * 1000 * jitter;
    const purpose = this.#hooks.purpose();
    const session = protocol.upstream<Tenant>(target, this.#hooks.identity, purpose);
    return new Upstream(this.#context.nextUpstreamId(), target, session, clock, this.#owner, maxAge, purpose);
  }

  succeeded(upstream: Upstream): void {
    this.forget(upstream);
    this.#failedInARow = 0;
    this.#backoff.succeeded();
    this.#lasting.succeeded();
    this.#pausedUntil = 0;
    this.#hooks.standing.accept();
    this.#cancelRetry();
    this.reachable = true;
    this.doubtful = false;
    this.turnedAway = false;
  }

  /**
   * A dial failed. Answers the seconds until the next try; null if the next address is tried at once or
   * none follows.
   */
  failed(upstream: Upstream, failure: DialFailure, detail: string): number | null {
    this.forget(upstream);
    const { standing } = this.#hooks;
    const now = this.#context.clock.now();
    standing.fail(failure, now);
    this.turnedAway = concernsIdentityAlone(failure);
    if (this.#hooks.refused(failure, detail) || this.#stopped) return null;
    const held = standing.holdMilliseconds(now);
    this.#why = detail;
    this.#turn += 1;
    this.#failedInARow += 1;
    // What another address is shown is the same.
    if (this.#failedInARow < this.#hooks.targets().length && held === 0 && !this.turnedAway) {
      this.#dial();
      return null;
    }
    this.#failedInARow = 0;
    const isLasting = isLoginFailure(failure);
    const pause = isLasting ? this.#lasting.failed() : this.#backoff.failed();
    const most = failure === 'tls_failed' ? MOST_AFTER_HANDSHAKE_MILLISECONDS : pause;
    const delay = Math.max(held, Math.min(pause, most));
    if (isLasting) this.#pausedUntil = now + delay;
    this.#retryWithin(delay);
    // What a new connection is refused for, the open ones are served in spite of.
    if (isLasting && this.#hooks.serves()) return delay / 1000;
    const wasReachable = this.reachable;
    this.reachable = false;
    this.#hooks.unreachable(wasReachable, failure);
    return delay / 1000;
  }

  /** No more dials; those in progress go on. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  /** No more dials, and nothing waits for those in progress: the caller releases them. */
  abandon(): Upstream[] {
    this.stop();
    const abandoned = [...this.#dialing.keys()];
    for (const upstream of abandoned) this.forget(upstream);
    return abandoned;
  }

  /** The dial is over, one way or another. */
  forget(upstream: Upstream): void {
    this.#dialing.get(upstream)?.cancel();
    this.#dialing.delete(upstream);
  }

  #retryWithin(milliseconds: number): void {
    const { clock, options } = this.#context;
    const memory = Math.max(options.connectionMaxIdleSeconds, REMEMBER_AT_LEAST_SECONDS) * 1000;
    const time = clock.now() + milliseconds;
    if (this.#stopped || time >= this.#retryTime) return;
    this.#cancelRetry();
    this.#retryTime = time;
    this.#retry = clock.after(milliseconds, () => {
      this.#retry = null;
      this.#retryTime = Number.POSITIVE_INFINITY;
      if (this.#dialing.size > 0) return;
      const paused = this.pauseMilliseconds(clock.now());
      if (clock.now() - this.#askedTime > memory) this.#hooks.gaveUp();
      else if (paused > 0) this.#retryWithin(paused);
      else this.#dial();
    });
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#retryTime = Number.POSITIVE_INFINITY;
  }
}
