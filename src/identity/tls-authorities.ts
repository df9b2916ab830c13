/** Whose signatures are believed. */
import { getCACertificates } from 'node:tls';
import { LoginError } from '../core/login.ts';
import { certificatesIn, type PemFile } from './tls-certificates.ts';

/**
 * A bundle of authorities.
 *
 * @throws {LoginError} if it holds none
 */
export function authorities(path: string, bytes: Buffer): PemFile {
  const file = certificatesIn(path, bytes);
  // A certificate that only names itself as its issuer may be trusted as it is; a leaf of somebody else's makes no chain.
  const usable = file.certificates.some((certificate) => certificate.ca || certificate.checkIssued(certificate));
  if (!usable) {
    throw new LoginError(
      `${path} holds no authority, only certificates that one has signed: name the file of the signer`,
    );
  }
  return file;
}

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
