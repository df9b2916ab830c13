/** Bearer tokens, as far as we look into them. */
import { isDeepStrictEqual } from 'node:util';
import { BEARER_TOKEN, Secret } from '../contract/credential.ts';
import { LoginError } from '../core/login.ts';

/** Claims about the token itself (RFC 7519; OpenID Connect): they differ from one to the next of the same bearer. */
const OF_THE_TOKEN = ['exp', 'iat', 'nbf', 'jti', 'auth_time'];

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
  const exp = claimsOf(token)?.get('exp');
  return typeof exp === 'number' ? (exp - unixSeconds) * 1000 : null;
}

/** Whether these are JSON Web Tokens that say the same of whoever has them; what they are signed with is not looked at. */
export function areOfOneBearer(one: Secret, other: Secret): boolean {
  const claims = claimsOf(one);
  const others = claimsOf(other);
  if (claims === null || others === null) return false;
  for (const name of OF_THE_TOKEN) {
    claims.delete(name);
    others.delete(name);
  }
  return isDeepStrictEqual(claims, others);
}

function claimsOf(token: Secret): Map<string, unknown> | null {
  const [, claims = '', signature] = token.reveal().split('.');
  if (signature === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : null;
  } catch {
    return null; // Not a JSON Web Token: some look like it.
  }
}
