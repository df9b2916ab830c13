/** Which brokers a client may name by itself: patterns of `host:port` in which `*` stands for what may differ. */
import { isIPv4, isIPv6 } from 'node:net';
import { formatAddress, type HostPort } from './address.ts';

const HOST_PART = /^[A-Za-z0-9_*-]+$/;
/** Of a pattern of IPv4 addresses. */
const OCTET = /^(?:\d+|\*)$/;

interface Pattern {
  readonly host: string;
  readonly port: string;
}

interface NameTest {
  readonly expression: RegExp;
  /** It is for addresses. Else whoever owns a domain would choose one: 10.1.example.com is no address of 10.1.*.*. */
  readonly isOfAddresses: boolean;
}

export function isBrokerPattern(text: string): boolean {
  const pattern = partsOf(text);
  if (pattern === undefined) return false;
  const { host, port } = pattern;
  const fitsPort = port === '*' || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535);
  return fitsPort && (isIPv6(host) || host.split('.').every((part) => HOST_PART.test(part)));
}

/** The host may be any: whatever this process can reach, clients can. */
export function allowsAnyHost(text: string): boolean {
  return partsOf(text)?.host === '*';
}

/**
 * `*` in a name stands for any part of it between two dots, so that a pattern of one domain admits none of another, and in
 * an IPv4 address for a number; alone it stands for every host, or every port. Hosts that were configured are known anyway.
 */
export function brokerFilter(
  patterns: readonly string[],
  known: readonly HostPort[],
): (host: string, port: number) => boolean {
  const tests = patterns.flatMap((text) => partsOf(text) ?? []).map(testOf);
  const names = new Set(known.map((address) => canonical(address)));
  return (host, port) => {
    const name = canonical({ host, port });
    const isAddress = isIPv4(withoutEnd(host));
    const admits = ({ expression, isOfAddresses }: NameTest): boolean =>
      (isAddress || !isOfAddresses) && expression.test(name);
    return names.has(name) || tests.some(admits);
  };
}

function partsOf(text: string): Pattern | undefined {
  const found = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text);
  const host = found?.[1] ?? found?.[2] ?? '';
  if (found === null || host === '' || (found[1] !== undefined && !isIPv6(host))) return undefined;
  return { host, port: found[3] ?? '' };
}

function testOf({ host, port }: Pattern): NameTest {
  const ofPort = port === '*' ? '\\d+' : String(Number(port));
  if (host === '*') return { expression: new RegExp(`^.+:${ofPort}$`), isOfAddresses: false };
  const fixed = isIPv6(host) ? `[${host}]` : withoutEnd(host);
  const literal = fixed.toLowerCase().replace(/[.[\]-]/g, '\\$&');
  return {
    expression: new RegExp(`^${literal.replaceAll('*', '[a-z0-9_-]*')}:${ofPort}$`),
    isOfAddresses: fixed.includes('.') && fixed.split('.').every((part) => OCTET.test(part)),
  };
}

function canonical({ host, port }: HostPort): string {
  return formatAddress({ host: withoutEnd(host).toLowerCase(), port });
}

/** A name may end in the root's dot. */
function withoutEnd(host: string): string {
  return host.replace(/\.$/, '');
}
