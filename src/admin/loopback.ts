/** Who may ask what: a browser can be made to send requests to 127.0.0.1, so an address alone proves nothing. */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** A host name or address, without port and brackets. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether a `Host` header names this host. A page whose name was re-bound to 127.0.0.1 still sends its own name.
 */
export function namesLoopback(header: string | undefined): boolean {
  if (header === undefined) return false;
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(header) ?? [];
  return isLoopback(bracketed ?? plain ?? '');
}

/** Whether an `Origin` header, if there is one, is the origin that was asked: browsers send it with every change. */
export function isSameOrigin(origin: string | undefined, asked: string): boolean {
  return origin === undefined || origin === asked;
}

/** Whether a `Sec-Fetch-Site` header, which pages cannot forge, says that a page of another site asks. */
export function comesFromAnotherSite(header: string | string[] | undefined): boolean {
  return header !== undefined && header !== 'same-origin' && header !== 'none';
}
