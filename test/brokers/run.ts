/**
 * `npm run test:brokers [-- FILE...]`: the tests with real brokers and real clients, one file at a time. Fetches what
 * is missing first, so that no test waits for a download.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bootstrapCheckpoint, javaClasses, kafkaJars, librdkafkaPython } from './cache.ts';
import { requireTools } from './prerequisites.ts';
import { pulsarClasses, pulsarPython } from './pulsar/cache.ts';
import { KAFKA_VERSIONS, PULSAR, PULSAR_CLIENT } from './versions.ts';

const ROOT = join(import.meta.dirname, '../..');
const TAP = join(ROOT, 'node_modules/.bin/tap');
const FILE_SECONDS = 300;

function say(text: string): void {
  process.stdout.write(`# ${text}\n`);
}

async function prepare(): Promise<void> {
  requireTools();
  for (const version of KAFKA_VERSIONS) {
    say(`Kafka ${version}`);
    await kafkaJars(version);
    await bootstrapCheckpoint(version);
  }
  say('Java clients');
  await javaClasses();
  say('librdkafka');
  await librdkafkaPython();
  say(`Pulsar ${PULSAR}`);
  await pulsarClasses();
  say(`C++ client of Pulsar, through pulsar-client ${PULSAR_CLIENT}`);
  await pulsarPython();
}

async function main(): Promise<number> {
  try {
    await prepare();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : globSync('*.test.ts', { cwd: import.meta.dirname }).sort();
  const paths = files.map((file) => (named.length > 0 ? file : relative(ROOT, join(import.meta.dirname, file))));
  // What package.json leaves out of `npm test` is wanted here.
  const options = ['--jobs=1', `--timeout=${FILE_SECONDS}`, '--reporter=tap', '--exclude=none'];
  const child = spawn(process.execPath, [TAP, ...options, ...paths], { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

process.exitCode = await main();
