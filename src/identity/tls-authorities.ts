/** Whose signatures are believed. */
import { getCACertificates } from 'node:tls';

let known: readonly string[] | null = null;

/**
 * Those of the system: OpenSSL's default file and directory, which SSL_CERT_FILE and SSL_CERT_DIR replace, and
 * NODE_EXTRA_CA_CERTS. Where the system has none, as in images without `ca-certificates`, Node's own list stands in.
 */
export function systemAuthorities(): readonly string[] {
  if (known === null) {
    const system = getCACertificates('system');
    known = [...new Set(system.length > 0 ? [...system, ...getCACertificates('extra')] : getCACertificates('default'))];
  }
  return known;
}
