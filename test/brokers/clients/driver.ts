/**
 * Real clients in processes of their own, many in each. Operations that every driver of producers has:
 *
 *     open    {bootstrap, clients: [{name, topic}], settings, partitions?, oneByOne?}     producers with the library's
 *             own settings; with `partitions` (librdkafka and Java) their messages go round so many, else where the
 *             library wants; with `oneByOne` (librdkafka) a message waits until the one before is settled
 *     start   {everyMs, messages (0: until finish), spreadMs, clients?: [name]}     sends `NAME NUMBER`, from 0 on
 *     finish  {stop, withinMs}     waits until all is settled: {clients: {NAME: {sent, acknowledged}}, failures,
 *             latencies: [ms]}, failures and latencies since the last finish
 *     close   {}
 *
 * and every driver of groups, whose members commit what they processed before they give a partition up:
 *
 *     consume   {bootstrap, group, members: [name], topics, settings}
 *     received  {}     {NAME: {assigned: ["topic-0"], records: {"topic-0": [offset]}}}
 *     leave     {members: [name]}
 */
import { join } from 'node:path';
import { javaClasses, kafkaJars, librdkafkaPython } from '../cache.ts';
import { KAFKA_CURRENT, type KafkaVersion } from '../versions.ts';
import { LineDriver } from './line-driver.ts';

export const DRIVERS = ['librdkafka', 'java', 'kafkajs', 'platformatic'] as const;
export type DriverKind = (typeof DRIVERS)[number];

async function command(kind: DriverKind, version: KafkaVersion): Promise<{ command: string; args: string[] }> {
  switch (kind) {
    case 'librdkafka':
      return { command: await librdkafkaPython(), args: ['-u', join(import.meta.dirname, 'librdkafka.py')] };
    case 'java': {
      const path = `${join(await kafkaJars(version), '*')}:${await javaClasses()}`;
      const simple = '-Dorg.slf4j.simpleLogger';
      const log = [`${simple}.defaultLogLevel=warn`, `${simple}.showThreadName=false`, `${simple}.showLogName=false`];
      const machine = ['-Xmx256m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
      return { command: 'java', args: [...machine, ...log, '-cp', path, 'slackwater.test.Driver'] };
    }
    case 'kafkajs':
    case 'platformatic':
      return { command: process.execPath, args: [join(import.meta.dirname, `${kind}.ts`)] };
  }
}

export class Driver extends LineDriver {
  readonly kind: DriverKind;

  private constructor(kind: DriverKind, program: string, args: readonly string[]) {
    super(`${kind} driver`, program, args);
    this.kind = kind;
  }

  /** @param version of Kafka's own clients, for `java` */
  static async start(kind: DriverKind, version: KafkaVersion = KAFKA_CURRENT): Promise<Driver> {
    const { command: program, args } = await command(kind, version);
    return new Driver(kind, program, args);
  }
}
