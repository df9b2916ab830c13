/**
 * From the keys of the configuration and the contents of the files that they name to what secures connections. Nothing is
 * read here: whoever reads and watches files passes what they hold. Faults name the file, the cause and the remedy, and
 * never a secret.
 */
import { createSecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { LoginError } from '../core/login.ts';
import type { DialTls, ListenTls } from '../core/wire.ts';
import { systemAuthorities } from './tls-authorities.ts';
import { certificatesIn, type LoadedCertificate, loaded } from './tls-certificates.ts';
import { certificateOfKeyStore, keyPair, keyStore, password } from './tls-keys.ts';

/** `upstream.tls`. Paths are absolute here. */
export interface UpstreamTlsConfig {
  readonly caFile?: string | undefined;
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly keyPasswordFile?: string | undefined;
  readonly pkcs12File?: string | undefined;
  readonly pkcs12PasswordFile?: string | undefined;
  readonly minVersion: SecureVersion;
  readonly rejectUnauthorized: boolean;
}

/** `listenTls`. */
export interface ListenTlsConfig {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly keyPasswordFile?: string | undefined;
  readonly clientCaFile?: string | undefined;
  readonly minVersion: SecureVersion;
}

/** `admin.tls`. */
export interface AdminTlsConfig {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly keyPasswordFile?: string | undefined;
}

/** What a file holds, by its path as it stands in the configuration. Throws what reading it threw. */
export type Contents = (path: string) => Buffer;

interface Loaded {
  /** Every certificate that is in use, with its expiry. */
  readonly certificates: readonly LoadedCertificate[];
  /** All that distinguishes it from another: for a keyed hash. Secret. */
  readonly material: readonly Buffer[];
}

export interface UpstreamMaterial extends Loaded {
  readonly dial: DialTls;
}

export interface ListenMaterial extends Loaded {
  readonly listen: ListenTls;
}

export interface AdminMaterial extends Loaded {
  /** For node:https, also for `setSecureContext` of a server that runs. */
  readonly options: SecureContextOptions;
}

/** The files that such a part of the configuration names: those to read and to watch. */
export function tlsFiles(config: UpstreamTlsConfig | ListenTlsConfig | AdminTlsConfig | undefined): string[] {
  return Object.entries(config ?? {}).flatMap(([key, value]) => (key.endsWith('File') && value ? [String(value)] : []));
}

/**
 * How brokers are dialled.
 *
 * @throws {LoginError} naming the file, the cause and the remedy
 */
export function upstreamTls(config: UpstreamTlsConfig, contents: Contents): UpstreamMaterial {
  const ca = config.caFile === undefined ? null : certificatesIn(config.caFile, contents(config.caFile));
  const own = ownCertificate(config, contents);
  const roots = ca?.pems ?? systemAuthorities();
  // Whoever stands in caFile is believed, as in the trust stores of Java: also an intermediate authority without the one
  // above it, and a single broker.
  const trust = { ca: [...roots], allowPartialTrustChain: ca !== null };
  const options: SecureContextOptions = { minVersion: config.minVersion, ...trust, ...own.options };
  const { minVersion, rejectUnauthorized } = config;
  return {
    dial: { context: context(options), verifies: rejectUnauthorized, sessions: new Map() },
    certificates: [...(ca === null ? [] : loaded('upstream_ca', ca)), ...own.certificates],
    material: [Buffer.from(JSON.stringify([minVersion, rejectUnauthorized, ...roots])), ...own.material],
  };
}

interface OwnCertificate extends Loaded {
  readonly options: SecureContextOptions;
}

function ownCertificate(config: UpstreamTlsConfig, contents: Contents): OwnCertificate {
  const { pkcs12File, pkcs12PasswordFile, certificateFile, keyFile } = config;
  if (pkcs12File !== undefined) {
    const bytes = contents(pkcs12File);
    const passphrase = optional(pkcs12PasswordFile, (path) => password(contents(path)));
    const options = keyStore(pkcs12File, bytes, passphrase, pkcs12PasswordFile);
    const certificate = certificateOfKeyStore(options);
    const certificates = certificate === null ? [] : [certificate];
    return {
      options,
      certificates: loaded('upstream_client', { path: pkcs12File, certificates }),
      material: [bytes, Buffer.from(passphrase ?? '')],
    };
  }
  if (certificateFile === undefined || keyFile === undefined) return { options: {}, certificates: [], material: [] };
  const pair = pairOf({ ...config, certificateFile, keyFile }, contents);
  return { ...pair, certificates: loaded('upstream_client', pair.chain) };
}

/**
 * How clients are received.
 *
 * @throws {LoginError} naming the file, the cause and the remedy
 */
export function listenTls(config: ListenTlsConfig, contents: Contents): ListenMaterial {
  const pair = pairOf(config, contents);
  const ca =
    config.clientCaFile === undefined ? null : certificatesIn(config.clientCaFile, contents(config.clientCaFile));
  const options: SecureContextOptions = {
    minVersion: config.minVersion,
    ...pair.options,
    ...(ca === null ? {} : { ca: ca.pems, allowPartialTrustChain: true }),
  };
  context(options);
  return {
    listen: { options, requiresCertificate: ca !== null },
    certificates: [...loaded('listen_server', pair.chain), ...(ca === null ? [] : loaded('listen_client_ca', ca))],
    material: [Buffer.from(JSON.stringify([config.minVersion, ...(ca?.pems ?? [])])), ...pair.material],
  };
}

/**
 * How the admin listener is secured.
 *
 * @throws {LoginError} naming the file, the cause and the remedy
 */
export function adminTls(config: AdminTlsConfig, contents: Contents): AdminMaterial {
  const pair = pairOf(config, contents);
  const options: SecureContextOptions = { minVersion: 'TLSv1.2', ...pair.options };
  context(options);
  return { options, certificates: loaded('admin_server', pair.chain), material: pair.material };
}

function pairOf(config: AdminTlsConfig, contents: Contents): ReturnType<typeof keyPair> {
  const { certificateFile, keyFile, keyPasswordFile } = config;
  const passphrase = optional(keyPasswordFile, (path) => password(contents(path)));
  // A key that is encrypted with nothing is none that there could be.
  if (passphrase === '') throw new LoginError(`${keyPasswordFile} is empty`);
  return keyPair(
    { path: certificateFile, bytes: contents(certificateFile) },
    { path: keyFile, bytes: contents(keyFile) },
    passphrase,
    keyPasswordFile,
  );
}

/** Everything was looked at one by one before: what is left is a combination that OpenSSL does not like. */
function context(options: SecureContextOptions): ReturnType<typeof createSecureContext> {
  try {
    return createSecureContext(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new LoginError(`the certificate or key is refused by OpenSSL (${code ?? 'unknown reason'})`);
  }
}

function optional<T>(path: string | undefined, read: (path: string) => T): T | undefined {
  return path === undefined ? undefined : read(path);
}
