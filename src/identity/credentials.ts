/** From `upstream.sasl` and the files that it names to what brokers are shown. */
import { type Credential, PASSWORD_MECHANISMS, type PasswordMechanism, Secret } from '../contract/credential.ts';
import type { Clock } from '../core/clock.ts';
import { LoginError } from '../core/login.ts';
import { type AwsAccess, type Importer, loadSigner, SIGNER_PACKAGE, signedToken } from './aws-signer.ts';
import type { Files } from './files.ts';
import type { Material } from './fingerprint.ts';
import type { AuthOptions, SaslOptions, TokenEndpointOptions } from './options.ts';
import { systemAuthorities } from './tls-authorities.ts';
import { certificatesIn } from './tls-certificates.ts';
import { bearer, lifeOfJwt } from './token.ts';
import { TokenCache } from './token-cache.ts';
import type { TokenGrant } from './token-endpoint.ts';

export interface CredentialParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Loads packages that are there only if somebody needs them. */
  readonly load: Importer;
}

export interface CredentialSource {
  /** @throws {LoginError} or rejects with one */
  credential(): Credential | Promise<Credential>;
  /** All that makes it another login if it changes. Tokens that are fetched are none of it. */
  readonly material: Material;
}

type Tokens = () => Secret | Promise<Secret>;

/** Rejects with a FileError or a LoginError if it cannot be made; neither holds a secret. */
export async function credentialFrom(
  sasl: SaslOptions,
  files: Files,
  parts: CredentialParts,
): Promise<CredentialSource> {
  const { mechanism } = sasl;
  if (isPasswordMechanism(mechanism)) return byPassword(mechanism, sasl, files);
  if (mechanism === 'AWS_MSK_IAM') return byAwsSigner(sasl, parts);
  if (sasl.tokenEndpoint !== undefined) return byGrant(sasl.tokenEndpoint, sasl, files, parts);
  return byToken(sasl, files, parts.clock);
}

/** What is shown by method `token` is a bearer token, and by `basic` a name with its password. Rejects as above. */
export function credentialFromAuth(
  { method, ...keys }: AuthOptions,
  files: Files,
  parts: CredentialParts,
): Promise<CredentialSource> {
  return credentialFrom({ ...keys, mechanism: method === 'token' ? 'OAUTHBEARER' : 'PLAIN' }, files, parts);
}

/** A secret that stands in the configuration, or in a file that it names. */
export async function secretOf(
  inline: Secret | undefined,
  file: string | undefined,
  files: Files,
): Promise<Secret | undefined> {
  return file === undefined ? inline : new Secret(await files.line(file));
}

function isPasswordMechanism(mechanism: string): mechanism is PasswordMechanism {
  return (PASSWORD_MECHANISMS as readonly string[]).includes(mechanism);
}

async function byPassword(mechanism: PasswordMechanism, sasl: SaslOptions, files: Files): Promise<CredentialSource> {
  const username = sasl.usernameFile === undefined ? sasl.username : await files.line(sasl.usernameFile);
  const password = await secretOf(sasl.password, sasl.passwordFile, files);
  if (username === undefined || password === undefined)
    throw new LoginError(`${mechanism} needs username and password`);
  if (username.includes('\0') || password.reveal().includes('\0')) {
    throw new LoginError(`${sasl.passwordFile ?? 'the user name or password'} holds a zero byte`);
  }
  const credential: Credential = { mechanism, username, password };
  return { credential: () => credential, material: [mechanism, username, password.reveal()] };
}

async function byToken(sasl: SaslOptions, files: Files, clock: Clock): Promise<CredentialSource> {
  const origin = sasl.tokenFile ?? 'the token';
  const given = await secretOf(sasl.token, sasl.tokenFile, files);
  if (given === undefined) throw new LoginError('OAUTHBEARER needs token, tokenFile or tokenEndpoint');
  const token = bearer(given.reveal(), origin);
  const life = lifeOfJwt(token, clock.unixSeconds());
  const endTime = life === null ? Number.POSITIVE_INFINITY : clock.now() + life;
  const tokens = (): Secret => {
    if (clock.now() >= endTime) throw new LoginError(`${origin} has expired: whoever writes it must renew it`);
    return token;
  };
  return bearerSource(tokens, sasl, ['token', token.reveal()]);
}

async function byGrant(
  endpoint: TokenEndpointOptions,
  sasl: SaslOptions,
  files: Files,
  { clock, random }: CredentialParts,
): Promise<CredentialSource> {
  // The HTTP client is loaded by those who need it.
  const { fetchToken, nameOf } = await import('./token-endpoint.ts');
  const { url, clientId, scope, caFile } = endpoint;
  const clientSecret = await secretOf(endpoint.clientSecret, endpoint.clientSecretFile, files);
  if (clientSecret === undefined) throw new LoginError('tokenEndpoint needs clientSecret or clientSecretFile');
  const roots = caFile === undefined ? systemAuthorities() : certificatesIn(caFile, await files.read(caFile)).pems;
  const grant: TokenGrant = { url, clientId, clientSecret, scope, authorities: roots };
  const cache = new TokenCache({
    clock,
    random,
    origin: nameOf(grant),
    fetch: (signal) => fetchToken(grant, clock, signal),
  });
  const own = caFile === undefined ? [] : roots;
  const material = ['grant', url, clientId, clientSecret.reveal(), scope ?? '', ...own];
  return bearerSource(() => cache.token(), sasl, material);
}

async function byAwsSigner(sasl: SaslOptions, { clock, random, load }: CredentialParts): Promise<CredentialSource> {
  const { region, profile, roleArn } = sasl;
  if (region === undefined) throw new LoginError('AWS_MSK_IAM needs region');
  const access: AwsAccess = { region, profile, roleArn };
  const signer = await loadSigner(load);
  const cache = new TokenCache({
    clock,
    random,
    origin: SIGNER_PACKAGE,
    fetch: () => signedToken(signer, access, clock.unixSeconds()),
  });
  return bearerSource(() => cache.token(), sasl, ['aws', region, profile ?? '', roleArn ?? '']);
}

function bearerSource(tokens: Tokens, sasl: SaslOptions, material: Material): CredentialSource {
  const extensions = sasl.extensions ?? {};
  const shown = (token: Secret): Credential => ({ mechanism: 'OAUTHBEARER', token, extensions });
  return {
    credential: () => {
      const token = tokens();
      return token instanceof Secret ? shown(token) : token.then(shown);
    },
    material: [...material, JSON.stringify(Object.entries(extensions).sort())],
  };
}
