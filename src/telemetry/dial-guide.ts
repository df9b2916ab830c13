/** What each failure of a dial means and what to do about it. */
import type { DialFailure } from '../contract/reasons.ts';
import type { Advice } from './guide.ts';

/** `closed` where the sidecar has nothing to show: it authenticates nobody. */
export const CLOSED_ON_PASS_THROUGH =
  'Check the port: a TLS listener hangs up on plaintext (set `upstream.tls`); with TLS 1.3 perhaps on a client ' +
  'certificate that it refuses.';

export const DIAL_GUIDE: Readonly<Record<DialFailure, Advice>> = {
  refused: {
    level: 'warn',
    meaning: 'Nobody listens at the address.',
    remedy: 'Start the broker, or correct `upstream.bootstrap` or the listener that the broker advertises.',
  },
  timeout: {
    level: 'warn',
    meaning: 'The broker did not accept and answer within `upstream.dialTimeoutMilliseconds`.',
    remedy: 'Look for a firewall that drops packets, a hanging broker, or a port that expects TLS.',
  },
  unresolvable: {
    level: 'warn',
    meaning: 'The host name could not be resolved.',
    remedy: 'Correct the name or the resolver, or map the advertised address with `upstream.dialAddresses`.',
  },
  unreachable: {
    level: 'warn',
    meaning: 'There is no way to the address, or no local port or file descriptor was left.',
    remedy: 'Look at routes, network policies and the limits of the process; the detail of the log line tells which.',
  },
  closed: {
    level: 'warn',
    meaning: 'The connection was opened and then closed before the greeting was answered.',
    remedy:
      'Check the port: a TLS listener hangs up on plaintext (set `upstream.tls`), and a SASL listener on whoever does ' +
      'not authenticate (set `upstream.sasl`, for Pulsar `upstream.auth`); with TLS 1.3 perhaps on a client certificate that it refuses.',
  },
  rejected: {
    level: 'warn',
    meaning: 'The broker answered, but not as the broker that was meant: another cluster or node, or an error.',
    remedy:
      'Check that all of `upstream.bootstrap` is one cluster, and that DNS and `upstream.dialAddresses` are right.',
  },
  tls_untrusted: {
    level: 'warn',
    meaning: "No authority that is trusted has signed the broker's certificate.",
    remedy: "Put the certificate of the authority that signed the broker's into `upstream.tls.caFile`.",
  },
  tls_name_mismatch: {
    level: 'warn',
    meaning: "The broker's certificate is for other names than the one that the broker is advertised by.",
    remedy:
      'Correct the advertised listener or the names in the certificate; bootstrap addresses are checked as written.',
  },
  tls_expired: {
    level: 'warn',
    meaning: "The broker's certificate has expired, or is not valid yet.",
    remedy: "Renew the broker's certificate, and compare the clocks.",
  },
  tls_failed: {
    level: 'warn',
    meaning: 'The TLS handshake failed: the port speaks plaintext, or wants another version or a client certificate.',
    remedy: 'Check the port, `upstream.tls.minVersion`, and `upstream.tls.certificateFile` if the broker asks for one.',
  },
  authentication_failed: {
    level: 'warn',
    meaning: 'The broker refused the credential. Attempts are rare from now on, so that no account is locked.',
    remedy:
      'Correct the user name, password or token of `upstream.sasl`, of `upstream.auth` for Pulsar, or what the client shows ' +
      'where that is passed on: files are read again as they change.',
  },
  mechanism_unsupported: {
    level: 'warn',
    meaning: 'The broker does not offer the SASL mechanism.',
    remedy: 'Set `upstream.sasl.mechanism` to one of those that the detail names, or use another listener.',
  },
  credential_unavailable: {
    level: 'warn',
    meaning: 'There is nothing to show the broker: a file cannot be read, or the token endpoint gives no token.',
    remedy: 'Do what the detail says about the file or the endpoint.',
  },
};
