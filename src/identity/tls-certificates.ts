/** The certificates that files hold. */
import { X509Certificate } from 'node:crypto';
import { LoginError } from '../core/login.ts';

/** What a certificate is for: label `certificate` of the metric of expiries. */
export const CERTIFICATE_USES = [
  'upstream_ca',
  'upstream_client',
  'listen_server',
  'listen_client_ca',
  'admin_server',
] as const;
export type CertificateUse = (typeof CERTIFICATE_USES)[number];

export interface LoadedCertificate {
  readonly use: CertificateUse;
  readonly path: string;
  /** As X.509 names are written: `CN=broker,O=Example`. */
  readonly subject: string;
  /** Seconds since 1970. */
  readonly validFrom: number;
  readonly expiry: number;
}

/** Certificates of one file, in its order. */
export interface CertificateFile {
  readonly path: string;
  readonly certificates: readonly X509Certificate[];
}

export interface PemFile extends CertificateFile {
  /** Of each. */
  readonly pems: string[];
}

const BLOCK = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/** @throws {LoginError} if there is none, or one does not parse */
export function certificatesIn(path: string, bytes: Buffer): PemFile {
  const pems: string[] = bytes.toString('latin1').match(BLOCK) ?? [];
  if (pems.length === 0) {
    const kind = bytes[0] === 0x30 ? 'it looks like DER: convert it with `openssl x509 -inform der`' : 'it must be PEM';
    throw new LoginError(`${path} holds no certificate: ${kind}`);
  }
  const certificates = pems.map((pem, index) => {
    try {
      return new X509Certificate(pem);
    } catch {
      throw new LoginError(`certificate ${index + 1} of ${pems.length} in ${path} is damaged: write the file again`);
    }
  });
  return { path, pems, certificates };
}

/** What is told of them. */
export function loaded(use: CertificateUse, { path, certificates }: CertificateFile): LoadedCertificate[] {
  return certificates.map((certificate) => ({
    use,
    path,
    subject: certificate.subject?.replaceAll('\n', ',') ?? '',
    validFrom: Math.floor(certificate.validFromDate.getTime() / 1000),
    expiry: Math.floor(certificate.validToDate.getTime() / 1000),
  }));
}
