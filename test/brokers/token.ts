/** Unsecured tokens for OAUTHBEARER (RFC 7519, `alg` none), which the brokers of these tests believe. */

function part(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

/** @param lifeSeconds from now on */
export function unsecuredToken(subject: string, lifeSeconds = 3_600): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: subject, scope: 'kafka', iat: now, exp: now + lifeSeconds };
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

/** A token that looks like one of an authority, in which these brokers believe none. */
export function signedToken(subject: string): string {
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'HS256' })}.${part({ sub: subject, iat: now, exp: now + 3_600 })}.c2lnbmVk`;
}
