/**
 * Where a broker is, as Pulsar writes it: `pulsar://host:port` or `pulsar+ssl://host:port` in the answers of brokers,
 * `host:port` in a client's CONNECT (`proxy_to_broker_url`). IPv6 addresses stand in brackets.
 */
import type { BrokerNode } from '../../contract/topology.ts';

const URL_PATTERN = /^(?:pulsar(?:\+ssl)?:\/\/)(.*?)\/?$/;
/**
 * Names in ASCII alone: resolvers take what looks like a dot elsewhere for one (U+3002, U+FF0E), and a client's name would
 * pass a pattern for something else than what is dialled.
 */
const ADDRESS_PATTERN = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(\w(?:[\w.-]*\w)?\.?)):(\d{1,5})$/;
const LARGEST_PORT = 65_535;
/** Longer than any host name and port. */
const MOST_CHARACTERS = 300;

/** @returns the broker of `host:port`, which is its node name; null if that is none */
export function brokerAt(address: string): BrokerNode | null {
  if (address.length > MOST_CHARACTERS) return null;
  const [, bracketed, plain, digits] = ADDRESS_PATTERN.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port > 0 && port <= LARGEST_PORT)) return null;
  return { node: addressOf(host, port), host, port };
}

/** @returns the broker that a URL of a broker names; null if it names none, or several */
export function brokerNamedBy(url: string): BrokerNode | null {
  if (url.length > MOST_CHARACTERS) return null;
  const [, address] = URL_PATTERN.exec(url) ?? [];
  return address === undefined ? null : brokerAt(address);
}

/** `host:port`, an IPv6 host in brackets. */
export function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
