/**
 * Closed lists. Each member is a log field, a metric label, an admin field and a row of docs/reasons.md;
 * a test holds the lists and the documentation together.
 */

/** Why a broker connection was released. */
export const RELEASE_REASONS = [
  'idle',
  'housekeeping_done',
  'excess',
  'max_age',
  'session_expired',
  'broker_closed',
  'broker_reset',
  'dial_failed',
  'unsolicited_bytes',
  'protocol_error',
  'wrong_correlation_id',
  'response_timeout',
  'abandoned',
  'client_closed',
  'cluster_changed',
  'condemned',
  'operator',
  'shutdown',
] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

/** Why an application's socket was closed. */
export const CLOSE_REASONS = [
  'client_closed',
  'client_reset',
  'upstream_lost',
  'upstream_unavailable',
  'wait_timeout',
  'too_many_waiters',
  'too_many_clients',
  'protocol_error',
  'frame_too_large',
  'tls_on_plaintext',
  'plaintext_on_tls',
  'tls_failed',
  'authentication_failed',
  'http_on_kafka',
  'refused_api',
  'stalled',
  'versions_changed',
  'broker_not_allowed',
  'broker_removed',
  'identity_removed',
  'idle',
  'operator',
  'shutdown',
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** Why a client keeps a broker connection of its own. */
export const PIN_REASONS = [
  'acks_zero',
  'unknown_api',
  'share_session',
  'sasl',
  'opaque',
  'consumer',
  'transaction',
  'watcher',
  'non_persistent',
  'exclusive_producer',
  'bulk',
] as const;
export type PinReason = (typeof PIN_REASONS)[number];

/** Why a dial failed: the label `reason` of `slackwater_upstream_dial_failures_total`. */
export const DIAL_FAILURES = [
  'refused',
  'timeout',
  'unresolvable',
  'unreachable',
  'closed',
  'rejected',
  'tls_untrusted',
  'tls_name_mismatch',
  'tls_expired',
  'tls_failed',
  'authentication_failed',
  'mechanism_unsupported',
  'credential_unavailable',
] as const;
export type DialFailure = (typeof DIAL_FAILURES)[number];

/** The broker was asked, and does not take who we say that we are: asking again soon might lock an account. */
export function isRefusal(failure: DialFailure): boolean {
  return failure === 'authentication_failed' || failure === 'mechanism_unsupported';
}

/** It says nothing of the broker: another identity may be served. */
export function concernsIdentityAlone(failure: DialFailure): boolean {
  return isRefusal(failure) || failure === 'credential_unavailable';
}

/** Another credential, certificate or authority might be taken. */
export function isLoginFailure(failure: DialFailure): boolean {
  return concernsIdentityAlone(failure) || failure.startsWith('tls_');
}
