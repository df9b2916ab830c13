/** Bearer tokens, as far as we look into them. */
import { BEARER_TOKEN, Secret } from '../contract/credential.ts';
import { LoginError } from '../core/login.ts';

export interface FetchedToken {
  readonly token: Secret;
  /** From the moment it was asked for; null: it does not say. */
  readonly lifeMilliseconds: number | null;
}

/**
 * What may stand behind `auth=Bearer`; anything else would end the field or the message (RFC 7628).
 *
 * @param origin for the message: where the token comes from
 * @throws {LoginError}
 */
export function bearer(text: string, origin: string): Secret {
  if (!BEARER_TOKEN.test(text)) throw new LoginError(`${origin} is not a bearer token: it holds other characters`);
  return new Secret(text);
}

/** How long a JSON Web Token is still good for (claim `exp`, RFC 7519); null if it is none, or has no end. */
export function lifeOfJwt(token: Secret, unixSeconds: number): number | null {
  const [, claims = '', signature] = token.reveal().split('.');
  if (signature === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    const exp = typeof parsed === 'object' && parsed !== null && 'exp' in parsed ? parsed.exp : null;
    return typeof exp === 'number' ? (exp - unixSeconds) * 1000 : null;
  } catch {
    return null; // Not a JSON Web Token: some look like it.
  }
}
