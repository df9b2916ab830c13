/** Keys, and the certificates that belong to them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { LoginError } from '../core/login.ts';
import { certificatesIn, type PemFile } from './tls-certificates.ts';

export interface NamedBytes {
  readonly path: string;
  readonly bytes: Buffer;
}

export interface KeyPair {
  readonly options: SecureContextOptions;
  /** The leaf first. */
  readonly chain: PemFile;
  readonly material: readonly Buffer[];
}

/** A password as files hold it: without the end of the line. */
export function password(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

/**
 * A certificate, with those that lead to its authority behind it, and its key.
 *
 * @param passwordPath for messages
 * @throws {LoginError}
 */
export function keyPair(
  certificate: NamedBytes,
  key: NamedBytes,
  passphrase: string | undefined,
  passwordPath: string | undefined,
): KeyPair {
  const chain = certificatesIn(certificate.path, certificate.bytes);
  const privateKey = keyIn(key, passphrase, passwordPath);
  const [leaf] = chain.certificates;
  if (leaf?.checkPrivateKey(privateKey) !== true) {
    const later = chain.certificates.findIndex((other) => other.checkPrivateKey(privateKey));
    throw new LoginError(
      later > 0
        ? `the key in ${key.path} belongs to certificate ${later + 1} of ${certificate.path}: put that one first`
        : `the key in ${key.path} does not belong to the certificate in ${certificate.path}: both must be replaced together`,
    );
  }
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return {
    options: { cert: chain.pems.join('\n'), key: pem },
    chain,
    material: [Buffer.from(chain.pems.join('\n')), Buffer.from(pem)],
  };
}

function keyIn(key: NamedBytes, passphrase: string | undefined, passwordPath: string | undefined): KeyObject {
  const text = key.bytes.toString('latin1');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new LoginError(`${key.path} holds no private key: it must be PEM, "BEGIN PRIVATE KEY" or the like`);
  }
  const encrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (encrypted && passphrase === undefined) {
    throw new LoginError(`the key in ${key.path} is encrypted: name the file of its password in keyPasswordFile`);
  }
  try {
    return createPrivateKey({ key: text, format: 'pem', ...(encrypted ? { passphrase: passphrase ?? '' } : {}) });
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    if (encrypted && /DECRYPT|PASSPHRASE/.test(code)) {
      throw new LoginError(`the password in ${passwordPath} does not open the key in ${key.path}: correct one of them`);
    }
    throw new LoginError(`the key in ${key.path} cannot be read (${code}): write it again as PKCS#8 PEM`);
  }
}

/**
 * A PKCS#12 file as it is given to OpenSSL, once it was opened.
 *
 * @throws {LoginError}
 */
export function keyStore(
  path: string,
  bytes: Buffer,
  passphrase: string | undefined,
  passwordPath: string | undefined,
): SecureContextOptions {
  const options: SecureContextOptions = { pfx: bytes, ...(passphrase === undefined ? {} : { passphrase }) };
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new LoginError(keyStoreFault(`${code} ${message}`, path, passwordPath));
  }
}

function keyStoreFault(reason: string, path: string, passwordPath: string | undefined): string {
  if (/mac verify|MAC_VERIFY/i.test(reason)) {
    return passwordPath === undefined
      ? `${path} has a password: name the file that holds it in pkcs12PasswordFile`
      : `the password in ${passwordPath} does not open ${path}: correct one of them`;
  }
  if (/unsupported/i.test(reason)) {
    return `${path} is encrypted with an algorithm that OpenSSL 3 no longer offers (RC2 or single DES): write it again with \`openssl pkcs12 -export\` of OpenSSL 3, or with Java 17 or later`;
  }
  if (/unable to load|no certificate|KEY_VALUES|key or cert/i.test(reason)) {
    return `${path} lacks a key or the certificate that belongs to it: export both together`;
  }
  return `${path} is not a PKCS#12 file, or is damaged: write it again`;
}

/** Its own certificate: OpenSSL has opened the file, and a socket that goes nowhere tells what it found. */
export function certificateOfKeyStore(options: SecureContextOptions): X509Certificate | null {
  const nowhere = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const socket = new TLSSocket(nowhere, { isServer: true, secureContext: createSecureContext(options) });
  try {
    const certificate = socket.getX509Certificate();
    return certificate === undefined ? null : new X509Certificate(certificate.raw);
  } finally {
    socket.destroy();
  }
}
