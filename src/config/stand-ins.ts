/** Values that take the place of faulty ones of required keys, so that the rest of a file can be checked. */
import type { KeyPath } from './fault.ts';

const ADDRESS = 'stand-in:1';

const UPSTREAM = { bootstrap: [ADDRESS] };
const ROUTE = { protocol: 'tcp', listen: '127.0.0.1:0', upstream: UPSTREAM };
/** Values for keys of a route that have no default. */
const ROUTE_STAND_INS: Readonly<Record<string, unknown>> = { ...ROUTE, ...UPSTREAM };

const SECURITY_STAND_INS: Readonly<Record<string, string>> = {
  mechanism: 'PLAIN',
  method: 'basic',
  url: 'https://stand-in',
  clientId: 'stand-in',
  certificateFile: 'stand-in',
  keyFile: 'stand-in',
  credentialsFile: 'stand-in',
};

export function configStandIn(path: KeyPath): unknown {
  const key = path.at(-1) ?? '';
  const secured = securityStandIn(path);
  if (secured !== undefined) return secured;
  if (path[0] !== 'routes') return undefined;
  if (path.length === 2) return { ...ROUTE, name: `stand-in-${key}` };
  if (typeof key === 'number') return path.includes('mechanisms') ? 'PLAIN' : ADDRESS;
  if (path.length === 3 && key === 'name') return `stand-in-${path[1]}`;
  return Object.hasOwn(ROUTE_STAND_INS, key) ? ROUTE_STAND_INS[key] : undefined;
}

export function securityStandIn(path: KeyPath): string | undefined {
  const key = String(path.at(-1));
  return Object.hasOwn(SECURITY_STAND_INS, key) ? SECURITY_STAND_INS[key] : undefined;
}
