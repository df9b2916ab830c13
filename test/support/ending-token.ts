/** A JSON Web Token that nobody signed: the sidecar only looks when it ends. */
export function endingToken(subject: string, endUnixSeconds: number): string {
  const parts = [{ alg: 'HS256' }, { sub: subject, exp: endUnixSeconds }];
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'signature'].join('.');
}
