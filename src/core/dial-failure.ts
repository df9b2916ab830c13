/** What the system's error codes, and ends of connections, say about a dial. */
import type { DialFailure, ReleaseReason } from '../contract/reasons.ts';

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

/** What a detail begins with; words may follow. */
const CODE = /^[A-Z_0-9]+/;

/** @param detail a code, alone or with words behind it, or a sentence of ours or of the protocol's */
export function dialFailureOf(reason: ReleaseReason, detail: string): DialFailure {
  if (reason === 'cluster_changed' || (reason === 'dial_failed' && detail !== 'ETIMEDOUT')) return 'rejected';
  const failure = FAILURES[CODE.exec(detail)?.[0] ?? ''];
  if (failure !== undefined) return failure;
  return /^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(detail) ? 'tls_failed' : 'closed';
}

/** What is told of a dial that failed. @param hint what the protocol makes of it if the broker has closed the connection */
export function dialDetailOf(reason: ReleaseReason, detail: string, hint: string | undefined): string {
  const isClosed = reason === 'broker_closed' || reason === 'broker_reset';
  return isClosed && hint !== undefined ? `${detail}: ${hint}` : detail;
}
