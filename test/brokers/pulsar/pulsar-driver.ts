/**
 * Real clients of Pulsar in processes of their own; see LineDriver for how they are spoken to. Operations:
 *
 *     open    {url, clients: [{producers: [{name, topic}]}], tokenFile?, settings}     each client has connections of
 *             its own, and shows what the file holds by then; of `settings` both know `named` (the producer's name is
 *             given), `sequenced` (so are sequence ids: the messages' numbers) and `padding` (bytes before the value)
 *     start   {everyMs, messages (0: until finish), spreadMs}     every producer sends `NAME NUMBER`, from 0 on
 *     finish  {stop, withinMs}     waits until all is settled: {clients: {NAME: {sent, acknowledged}}, sequences: {NAME:
 *             the last one that was acknowledged}, failures, latencies: [ms]}, both since the last finish
 *     close   {}
 *     tour    {url, prefix, only?}     everything that a client can do: what it came to, by name
 *     read    {url, topics, token?}     (python) what every topic holds: {PARTITION: [value]}
 */
import { join } from 'node:path';
import { LineDriver } from '../clients/line-driver.ts';
import { pulsarPython } from './cache.ts';
import { javaArguments } from './jvm.ts';

export const PULSAR_DRIVERS = ['python', 'java'] as const;
export type PulsarDriverKind = (typeof PULSAR_DRIVERS)[number];

const MEGABYTES = 256;

export class PulsarDriver extends LineDriver {
  readonly kind: PulsarDriverKind;

  private constructor(kind: PulsarDriverKind, program: string, args: readonly string[]) {
    super(`${kind} driver`, program, args);
    this.kind = kind;
  }

  static async start(kind: PulsarDriverKind): Promise<PulsarDriver> {
    if (kind === 'java') {
      const args = await javaArguments('slackwater.test.Driver', [], { megabytes: MEGABYTES });
      return new PulsarDriver(kind, 'java', args);
    }
    const script = join(import.meta.dirname, 'clients', 'pulsar_client.py');
    return new PulsarDriver(kind, await pulsarPython(), ['-u', '-B', script]);
  }
}
