/**
 * Dials for one pool: when, where to, and how long to wait after a failure.
 *
 * A broker whose dial failed is unreachable until a dial has succeeded. Dials go on with back-off as long as somebody
 * asked recently; a client that asks meanwhile waits for the next one, which is then near.
 */
import type { UpstreamTarget } from '../contract/protocol.ts';
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import { Backoff } from './backoff.ts';
import type { Timer } from './clock.ts';
import { addressOf } from './options.ts';
import type { PoolContext } from './pool-context.ts';
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

const FAILURES: Readonly<Record<string, DialFailure>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'unresolvable',
  EAI_AGAIN: 'unresolvable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EMFILE: 'unreachable',
  ERR_SOCKET_BAD_PORT: 'unreachable',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_untrusted',
  CERT_SIGNATURE_FAILURE: 'tls_untrusted',
  CERT_UNTRUSTED: 'tls_untrusted',
  CERT_REJECTED: 'tls_untrusted',
  INVALID_CA: 'tls_untrusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_name_mismatch',
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_expired',
};

/** @param detail the system's error code, or a sentence of ours or of the protocol's */
export function dialFailureOf(reason: ReleaseReason, detail: string): DialFailure {
  if (reason === 'cluster_changed' || (reason === 'dial_failed' && detail !== 'ETIMEDOUT')) return 'rejected';
  const failure = FAILURES[detail];
  if (failure !== undefined) return failure;
  return /^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(detail) ? 'tls_failed' : 'closed';
}

export interface SupplyHooks {
  /** In the order in which they are tried. */
  targets(): readonly UpstreamTarget[];
  /** All targets failed: whoever waits is refused. */
  unreachable(wasReachable: boolean): void;
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
  readonly #context: PoolContext;
  readonly #owner: UpstreamOwner;
  readonly #hooks: SupplyHooks;
  readonly #backoff: Backoff;
  /** Connections that were lost soon after they were opened, in a row. */
  readonly #losses: Backoff;
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
    this.#askedTime = context.clock.now();
  }

  get dialing(): number {
    return this.#dialing.size;
  }

  /** Dials in progress. */
  upstreams(): Iterable<Upstream> {
    return this.#dialing.keys();
  }

  /** Somebody needs this broker now. */
  asked(): void {
    this.#askedTime = this.#context.clock.now();
  }

  /** One more connection is wanted: dialled now, or soon if the broker is known to be unreachable. */
  want(): void {
    if (this.#stopped) return;
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
      if (upstream.state === 'dialing') this.#owner.broken(upstream, 'dial_failed', 'ETIMEDOUT');
    };
    // The process may have stood still: the sockets are read first, and judged then.
    const { dialTimeoutMilliseconds } = options.upstream;
    this.#dialing.set(
      upstream,
      clock.after(dialTimeoutMilliseconds, () => clock.afterInput(timeOut)),
    );
    const address = options.upstream.dialAddresses[addressOf(target)] ?? target;
    try {
      const wire = this.#context.network.dial(address.host, address.port, upstream, () => upstream.connected());
      upstream.dialledOver(wire);
    } catch (error) {
      // No possible address: it looks like any other dial that failed.
      clock.afterInput(() => upstream.onClosed('error', (error as NodeJS.ErrnoException).code ?? String(error)));
    }
  }

  #create(target: UpstreamTarget): Upstream {
    const { clock, options, protocol, random } = this.#context;
    const jitter = 1 + (2 * random() - 1) * MAX_AGE_JITTER;
    const maxAge = options.pool.maxConnectionAgeSeconds * 1000 * jitter;
    const session = protocol.upstream<Tenant>(target, '');
    return new Upstream(this.#context.nextUpstreamId(), target, session, clock, this.#owner, maxAge);
  }

  succeeded(upstream: Upstream): void {
    this.forget(upstream);
    this.#failedInARow = 0;
    this.#backoff.succeeded();
    this.#cancelRetry();
    this.reachable = true;
    this.doubtful = false;
  }

  /** A dial failed. Answers the seconds until the next try; null if the next address is tried at once or none follows. */
  failed(upstream: Upstream): number | null {
    this.forget(upstream);
    if (this.#stopped) return null;
    this.#turn += 1;
    this.#failedInARow += 1;
    if (this.#failedInARow < this.#hooks.targets().length) {
      this.#dial();
      return null;
    }
    this.#failedInARow = 0;
    const wasReachable = this.reachable;
    this.reachable = false;
    const delay = this.#backoff.failed();
    this.#retryWithin(delay);
    this.#hooks.unreachable(wasReachable);
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
      if (clock.now() - this.#askedTime <= memory) this.#dial();
      else this.#hooks.gaveUp();
    });
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#retryTime = Number.POSITIVE_INFINITY;
  }
}
