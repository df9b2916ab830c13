/** Addresses as people write them: `host:port`, with IPv6 in brackets. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** A host name or address and a port. IPv6 addresses stand without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/** Reads `host:port` (port 0 to 65535), or says what is wrong with it. */
export function readAddress(text: string): HostPort | { readonly fault: string } {
  if (text.includes('://')) return { fault: 'must be host:port without a scheme, such as broker-1:9092' };
  const bracketed = /^\[(.*)\](?::(.*))?$/.exec(text);
  if (bracketed === null && text.split(':').length > 2) {
    return { fault: 'must be host:port, with an IPv6 address in brackets and quotes: "[::1]:9092"' };
  }
  const parts = bracketed ?? /^([^:]*)(?::(.*))?$/.exec(text);
  const host = parts?.[1] ?? '';
  const digits = parts?.[2];
  if (digits === undefined || digits === '') return { fault: 'must be host:port, such as 127.0.0.1:9092' };
  if (host === '') return { fault: 'must name a host before the port, such as 127.0.0.1:9092' };
  if (bracketed === null ? !isHost(host) || isIPv6(host) : !isIPv6(host)) {
    return { fault: `must be host:port; ${JSON.stringify(host)} is neither a host name nor an IP address` };
  }
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(port <= 65535)) return { fault: 'must end in a port from 0 to 65535' };
  return { host, port };
}

/** The schemes of Pulsar's service URLs: in plaintext, and over TLS. */
export const SERVICE_SCHEMES = ['pulsar://', 'pulsar+ssl://'] as const;
export type ServiceScheme = (typeof SERVICE_SCHEMES)[number];

export function schemeOf(text: string): ServiceScheme | undefined {
  return SERVICE_SCHEMES.find((scheme) => text.startsWith(scheme));
}

/** Like `readAddress`, and also `pulsar://host:port` or `pulsar+ssl://host:port`, of one broker. */
export function readServiceAddress(text: string): HostPort | { readonly fault: string } {
  const scheme = schemeOf(text);
  if (scheme === undefined && text.includes('://'))
    return { fault: 'must be host:port, such as broker-1:9092, or on a pulsar route pulsar://broker-1:6650' };
  if (scheme === undefined) return readAddress(text);
  if (text.includes(',')) return { fault: `must be one broker: give each an entry of its own` };
  const read = readAddress(text.slice(scheme.length).replace(/\/$/, ''));
  return 'fault' in read ? { fault: `must be ${scheme}host:port, such as ${scheme}broker-1:6650` } : read;
}

/** Like `readServiceAddress`, for text that the schema has let through. */
export function parseAddress(text: string): HostPort {
  const address = readServiceAddress(text);
  if ('fault' in address) throw new TypeError(`${text}: ${address.fault}`);
  return address;
}

export function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host name, an IPv4 address, or an IPv6 address without brackets. */
export function isHost(host: string): boolean {
  if (isIPv4(host) || isIPv6(host)) return true;
  // Four numbers that are no IPv4 address are a typing error, not a name.
  if (/^[\d.]+$/.test(host) || host.length > 253) return false;
  return host
    .replace(/\.$/, '')
    .split('.')
    .every((label) => LABEL.test(label));
}

/** All addresses of the machine: nothing that a client could be told to connect to. */
export function isWildcard(host: string): boolean {
  return WILDCARDS.includes(canonicalHost(host));
}

export function isLoopback(host: string): boolean {
  const canonical = canonicalHost(host);
  return canonical === 'localhost' || canonical === '::1' || (isIPv4(canonical) && canonical.startsWith('127.'));
}

/** Whether two listeners cannot both be bound. Port 0 takes any free port, so it never collides. */
export function collide(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.port !== 0 && overlap(a.host, b.host);
}

/** Whether two hosts have an address in common, as far as names tell. */
export function overlap(a: string, b: string): boolean {
  return boundAddresses(a).some((one) => boundAddresses(b).some((other) => sameAddress(one, other)));
}

/** Whether a connection to `target` arrives at the listener `listen`, as far as names tell. */
export function reaches(target: HostPort, listen: HostPort): boolean {
  return collide(target, listen) && (!isWildcard(listen.host) || isLoopback(target.host));
}

/** `localhost` binds both loopback addresses. */
function boundAddresses(host: string): readonly string[] {
  const canonical = canonicalHost(host);
  return canonical === 'localhost' ? ['127.0.0.1', '::1'] : [canonical];
}

function sameAddress(a: string, b: string): boolean {
  return a === b || covers(a, b) || covers(b, a);
}

/** `::` takes the IPv4 addresses as well. */
function covers(wildcard: string, address: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && !isIPv6(address));
}

/** One spelling for each address: names in lower case, IPv6 in its short form. */
function canonicalHost(host: string): string {
  if (isIPv6(host) && !host.includes('%')) return new SocketAddress({ address: host, family: 'ipv6' }).address;
  return host.toLowerCase().replace(/\.$/, '');
}
