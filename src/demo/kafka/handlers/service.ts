/** How one API is served. */
import type { ClusterState } from '../state/cluster-state.ts';
import type { AnyApi, Api } from '../wire/api.ts';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** Who asks, and whom. */
export interface Call {
  readonly version: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** The broker that was asked. */
  readonly node: number;
  readonly state: ClusterState;
  /** What that broker says it can, by API key. */
  readonly offered: ReadonlyMap<number, VersionRange>;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Nothing is sent. */
export const NO_ANSWER = Symbol('no answer');
/** Nothing is sent, and the connection is closed: how errors of acks=0 show. */
export const HANG_UP = Symbol('hang up');

export type Outcome<W> = W | typeof NO_ANSWER | typeof HANG_UP;

export type Answer = Readonly<Record<string, unknown>>;

export interface Service {
  readonly api: AnyApi;
  handle(request: unknown, call: Call): Outcome<Answer> | Promise<Outcome<Answer>>;
}

/** Here the types of one API's messages are checked, and then forgotten. */
export function service<QR, QW, AR, AW>(
  api: Api<QR, QW, AR, AW>,
  handle: (request: QR, call: Call) => Outcome<AW> | Promise<Outcome<AW>>,
): Service {
  return { api: api as unknown as AnyApi, handle: handle as Service['handle'] };
}
