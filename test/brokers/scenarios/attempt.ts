/** One client that sends one message, and what it is told if that cannot be. */
import { accessSettings } from '../clients/access.ts';
import { Driver, type DriverKind } from '../clients/driver.ts';
import type { Way } from '../way.ts';

export interface Attempt {
  readonly delivered: number;
  /** Of the message, as the library words it. */
  readonly failures: readonly string[];
  /** Warnings and errors that the library logged or told its application. */
  readonly complaints: readonly string[];
}

/** How long the client tries: its libraries take a wrong password for something that may pass. */
const PATIENCE: Readonly<Record<'librdkafka' | 'java', object>> = {
  librdkafka: { 'message.timeout.ms': 3_000 },
  java: { 'max.block.ms': 3_000, 'delivery.timeout.ms': 3_000, 'request.timeout.ms': 2_000, 'linger.ms': 0 },
};

/** @param topic must exist */
export async function attempt(
  way: Way,
  topic: string,
  kind: Extract<DriverKind, 'librdkafka' | 'java'> = 'librdkafka',
): Promise<Attempt> {
  const driver = await Driver.start(kind, way.cluster.version);
  try {
    const settings = { ...PATIENCE[kind], ...accessSettings(kind, way.access) };
    const clients = [{ name: 'attempt', topic }];
    await driver.request('open', { bootstrap: way.bootstrap, clients, settings });
    await driver.request('start', { messages: 1, everyMs: 0, spreadMs: 0 });
    const { clients: counts, failures } = await driver.request<{
      clients: Record<string, { acknowledged: number }>;
      failures: string[];
    }>('finish', { stop: false, withinMs: 20_000 });
    return { delivered: counts.attempt?.acknowledged ?? 0, failures, complaints: driver.complaints() };
  } finally {
    await driver.stop();
  }
}
