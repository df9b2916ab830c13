/** Wires over TLS on loopback, with certificates of a test's own. */
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Test } from 'tap';
import { tcpNetwork } from '../../src/core/socket-wire.ts';
import type { DialTls, ListenOptions, ListenTls, Wire, WireHandler } from '../../src/core/wire.ts';
import { authority, type Certified, certify } from './certificates.ts';
import { until } from './until.ts';

export const AUTHORITY: Certified = authority();
export const SERVER: Certified = certify({ name: 'broker', by: AUTHORITY, hosts: ['broker.test', '127.0.0.1'] });
export const NAME = 'broker.test';

export function dialTls(options: SecureContextOptions = {}, verifies = true): DialTls {
  const context = createSecureContext({ ca: AUTHORITY.certificate, ...options });
  return { context, verifies, sessions: new Map() };
}

export function listenTls(
  server: Certified = SERVER,
  clientCa?: Certified,
  more: SecureContextOptions = {},
): ListenTls {
  const options: SecureContextOptions = { cert: server.certificate, key: server.key, ...more };
  if (clientCa === undefined) return { options, requiresCertificate: false };
  return { options: { ...options, ca: clientCa.certificate }, requiresCertificate: true };
}

/** What a wire tells, in order. */
export class Ear implements WireHandler {
  wire: Wire | null = null;
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  length = 0;
  onRead: ((bytes: Buffer) => void) | null = null;
  onDrained: (() => void) | null = null;

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }
  get end(): string {
    return this.events.at(-1) ?? '';
  }
  onBytes(bytes: Buffer, length: number): void {
    this.length += length;
    if (this.onRead === null) this.chunks.push(Buffer.from(bytes.subarray(0, length)));
    else this.onRead(bytes.subarray(0, length));
  }
  onEnd(): void {
    this.events.push('end');
  }
  onFlushed(): void {
    this.onDrained?.();
  }
  onClosed(how: string, detail: string): void {
    this.events.push(`${how} ${detail}`.trim());
  }
}

export interface Listener {
  readonly port: number;
  /** Those that were handed over. */
  readonly accepted: Ear[];
}

export async function listen(t: Test, options: ListenOptions): Promise<Listener> {
  const accepted: Ear[] = [];
  const accept = (wire: Wire): WireHandler => {
    const ear = new Ear();
    ear.wire = wire;
    accepted.push(ear);
    return ear;
  };
  const listening = await tcpNetwork.listen('127.0.0.1', 0, accept, options);
  t.teardown(async () => {
    for (const { wire } of accepted) wire?.destroy();
    await listening.close();
  });
  return { port: listening.port, accepted };
}

export interface Dialled extends Ear {
  readonly wire: Wire;
}

/** Dials and waits until it is open, or over: then `end` says why. */
export async function dial(
  t: Test,
  port: number,
  tls = dialTls(),
  serverName = NAME,
  host = '127.0.0.1',
): Promise<Dialled> {
  const ear = new Ear();
  let open = false;
  const connected = (): void => {
    open = true;
  };
  const wire = tcpNetwork.dial(host, port, ear, connected, { tls, serverName });
  ear.wire = wire;
  t.teardown(() => wire.destroy());
  await until('the dial', () => open || ear.events.length > 0);
  if (open) ear.events.unshift('connected');
  return ear as Dialled;
}

/** Both ends of one secured connection. */
export async function pair(
  t: Test,
  tls = dialTls(),
): Promise<{ readonly dialled: Dialled; readonly accepted: Dialled }> {
  const settings = listenTls();
  const { port, accepted } = await listen(t, { tls: () => settings });
  const dialled = await dial(t, port, tls);
  await until('the other end', () => accepted.length > 0);
  return { dialled, accepted: accepted[0] as Dialled };
}
