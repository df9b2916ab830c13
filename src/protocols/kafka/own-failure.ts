/** Why a connection of ours is of no use. */
import type { DialFailure, ReleaseReason } from '../../contract/reasons.ts';

export interface OwnFailure {
  readonly reason: ReleaseReason;
  readonly detail: string;
  readonly failure?: DialFailure;
}

export const TELLS_NO_VERSIONS: OwnFailure = {
  reason: 'protocol_error',
  detail: 'the broker does not tell which API versions it supports',
};

export const SPEAKS_TLS: OwnFailure = {
  reason: 'dial_failed',
  detail: 'the broker speaks TLS on this port: set upstream.tls, or dial a port without TLS',
  failure: 'tls_failed',
};
