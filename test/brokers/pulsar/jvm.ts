/** Programs of Pulsar's, with the flags that its libraries need. */
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { pulsarClasses, pulsarJars } from './cache.ts';

/** What Netty, BookKeeper and the meters of Pulsar look into. */
const OPENED = [
  ...['java.io', 'java.lang', 'java.nio', 'java.util.zip', 'jdk.internal.misc', 'jdk.internal.platform', 'sun.net'].map(
    (name) => `java.base/${name}`,
  ),
  'java.management/sun.management',
  'jdk.management/com.sun.management.internal',
];
const METADATA = 'org.apache.pulsar.metadata.bookkeeper';

export interface JvmOptions {
  /** Of the heap, and of the memory beside it. */
  readonly megabytes: number;
  /** Compiles all it can, as for measurements; else a start costs half. */
  readonly tuned?: boolean;
}

/** The arguments of `java` for a main class. */
export async function javaArguments(main: string, args: readonly string[], options: JvmOptions): Promise<string[]> {
  const { megabytes, tuned = false } = options;
  return [
    ...['-Xms64m', `-Xmx${megabytes}m`, `-XX:MaxDirectMemorySize=${megabytes}m`, '-Xss512k', '-XX:+UseSerialGC'],
    ...(tuned ? [] : ['-XX:TieredStopAtLevel=1']),
    ...['-XX:+ExitOnOutOfMemoryError', '-Djava.net.preferIPv4Stack=true', '-Dlog4j.shutdownHookEnabled=false'],
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
    '-Dio.netty.tryReflectionSetAccessible=true',
    ...['-Dzookeeper.admin.enableServer=false', '-Dzookeeper.snapshot.trust.empty=true'],
    `-Dbookkeeper.metadata.bookie.drivers=${METADATA}.PulsarMetadataBookieDriver`,
    `-Dbookkeeper.metadata.client.drivers=${METADATA}.PulsarMetadataClientDriver`,
    ...OPENED.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
    ...['-cp', `${await pulsarClasses()}:${join(await pulsarJars(), '*')}`, main],
    ...args,
  ];
}

/** Starts a server that writes what it has to say to a file. */
export async function launchJava(
  name: string,
  main: string,
  args: readonly string[],
  options: JvmOptions & { readonly log: string; readonly folder: string },
): Promise<Child> {
  const log = openSync(options.log, 'a');
  return new Child(name, 'java', await javaArguments(main, args, options), {
    cwd: options.folder,
    stdio: ['ignore', log, log],
  });
}
