/** One connection to a broker, opened outside of any route, as a route would open it, and closed again. */
import type { Credential } from '../contract/credential.ts';
import type { UpstreamSession, UpstreamTarget } from '../contract/protocol.ts';
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';
import type { Topology } from '../contract/topology.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { dialFailureOf } from '../core/dial-failure.ts';
import { type Login, LoginError } from '../core/login.ts';
import type { HostPort } from '../core/options.ts';
import type { Tenant } from '../core/tenant.ts';
import { type TlsAgreement, TlsWire } from '../core/tls-wire.ts';
import { Upstream } from '../core/upstream.ts';
import type { UpstreamOwner } from '../core/upstream-owner.ts';
import type { Network } from '../core/wire.ts';

export interface DialParts {
  readonly clock: Clock;
  readonly network: Network;
  readonly timeoutMilliseconds: number;
}

export interface Dialled {
  readonly target: UpstreamTarget;
  /** What is dialled; another address than the target's if `upstream.dialAddresses` says so. */
  readonly address: HostPort;
  readonly login: Login;
  readonly session: UpstreamSession<Tenant>;
}

export interface DialOutcome {
  readonly milliseconds: number;
  /** Null: the connection is ready for the requests of clients. */
  readonly failure: { readonly reason: DialFailure; readonly detail: string } | null;
  /** What was agreed with the broker; null in plaintext, or if it did not come so far. */
  readonly tls: TlsAgreement | null;
  /** What the broker said of its cluster; null if it did not. */
  readonly topology: Topology | null;
  /** What the broker was to be shown; null: nothing. */
  readonly shown: { readonly mechanism: string; readonly username: string | null } | null;
  /** KIP-368; 0: without end. */
  readonly lifetimeMilliseconds: number;
}

/** Resolves once the connection is ready or has failed, and its socket is gone. */
export function dial(dialled: Dialled, parts: DialParts): Promise<DialOutcome> {
  return new Promise((resolve) => new Dial(dialled, parts, resolve).begin());
}

class Dial implements UpstreamOwner {
  readonly #dialled: Dialled;
  readonly #parts: DialParts;
  readonly #resolve: (outcome: DialOutcome) => void;
  readonly #upstream: Upstream;
  #timer: Timer | null = null;
  #shown: DialOutcome['shown'] = null;
  #tls: TlsAgreement | null = null;
  #topology: Topology | null = null;
  #outcome: DialOutcome | null = null;

  constructor(dialled: Dialled, parts: DialParts, resolve: (outcome: DialOutcome) => void) {
    this.#dialled = dialled;
    this.#parts = parts;
    this.#resolve = resolve;
    const { target, session } = dialled;
    this.#upstream = new Upstream('probe', target, session, parts.clock, this, Number.POSITIVE_INFINITY);
  }

  /** A probe is over before any broker asks. */
  authenticate(upstream: Upstream): void {
    this.broken(upstream, 'protocol_error', 'the broker asked for a credential once more at once');
  }

  begin(): void {
    const { clock, timeoutMilliseconds } = this.#parts;
    const timeOut = (): void => this.broken(this.#upstream, 'dial_failed', 'ETIMEDOUT');
    this.#timer = clock.after(timeoutMilliseconds, () => clock.afterInput(timeOut));
    this.#connect().catch((error: unknown) => this.#impossible(error));
  }

  async #connect(): Promise<void> {
    const { address, login, target } = this.#dialled;
    const upstream = this.#upstream;
    const credential = await login.credential();
    if (upstream.state !== 'dialing') return;
    this.#shown = shownOf(credential);
    const secured = login.tls === null ? undefined : { tls: login.tls, serverName: target.host };
    const wire = this.#parts.network.dial(
      address.host,
      address.port,
      upstream,
      () => {
        if (wire instanceof TlsWire) this.#tls = wire.agreement();
        upstream.connected(credential);
      },
      secured,
    );
    upstream.dialledOver(wire);
  }

  /** There is nothing to show, or the address is none. */
  #impossible(error: unknown): void {
    const { message, code } = error as NodeJS.ErrnoException;
    if (error instanceof LoginError) this.broken(this.#upstream, 'dial_failed', message, error.failure);
    else this.broken(this.#upstream, 'broker_reset', code ?? message);
  }

  opened(upstream: Upstream): void {
    upstream.use(null);
    this.#end(null, upstream.session.lifetimeMilliseconds);
    upstream.release(false);
  }

  broken(upstream: Upstream, reason: ReleaseReason, detail: string, failure?: DialFailure): void {
    if (this.#outcome !== null) return;
    this.#end({ reason: failure ?? dialFailureOf(reason, detail), detail }, 0);
    const { hasSocket } = upstream.transport;
    upstream.release(true);
    if (!hasSocket) this.closed();
  }

  #end(failure: DialOutcome['failure'], lifetimeMilliseconds: number): void {
    this.#timer?.cancel();
    const milliseconds = this.#parts.clock.now() - this.#upstream.createTime;
    const [tls, topology, shown] = [this.#tls, this.#topology, this.#shown];
    this.#outcome = { milliseconds, failure, tls, topology, shown, lifetimeMilliseconds };
  }

  closed(): void {
    if (this.#outcome !== null) this.#resolve(this.#outcome);
  }

  named(topology: Topology): void {
    this.#topology = topology;
  }

  violated(detail: string): void {
    throw new Error(detail);
  }

  quiet(): void {
    // Nobody else wants it.
  }
}

function shownOf(credential: Credential | null): DialOutcome['shown'] {
  if (credential === null) return null;
  return { mechanism: credential.mechanism, username: 'username' in credential ? credential.username : null };
}
