/** `npm run test:soak [-- NAME [--option value]...]`: runs one of the long measurements, or lists them. */
import { join } from 'node:path';

const SCRIPTS: Readonly<Record<string, string>> = {
  sharing: '70 producers at work: connections and latency',
  asleep: '70 producers that fall silent, and wake up',
  housekeeping: '70 producers asleep for 20 minutes with their own metadata refreshes',
  failures: 'brokers and sidecars that fail under load, round after round',
  'identity-mechanisms': 'every SASL mechanism over TLS and without: connections, sleep and waking up, beside direct',
  'identity-sessions': 'sessions of ten seconds (KIP-368) under five minutes of load',
  'identity-rotation': 'passwords, certificates, keys and authorities replaced under load, round after round',
  'identity-users': 'two users of one sidecar, each forbidden what the other may',
  'identity-memory':
    '50 idle producers with TLS and SCRAM: memory and connections of the brokers, and what a dial costs',
  'pulsar-sharing': '25 clients of Pulsar with 4 producers each at work: connections and latency',
  'pulsar-asleep': 'the same clients fall silent, and wake up',
  'pulsar-failures': 'two brokers of Pulsar: topics that move, a broker killed, the sidecar killed, round after round',
  'pulsar-cost': 'throughput and CPU of Pulsar’s load tool: direct, through Pulsar’s own proxy, through the sidecar',
  model: 'random schedules against the model of the pool; needs no brokers',
  'pulsar-model': 'random schedules against the model of Pulsar’s route; needs no brokers',
};

const names = Object.keys(SCRIPTS);
const list = [
  'npm run test:soak -- NAME [--option value]...',
  '',
  ...names.map((name) => `  ${name.padEnd(20)} ${SCRIPTS[name]}`),
  '',
  '`npm run test:soak -- NAME --help` tells the options.',
].join('\n');

const [name] = process.argv.slice(2);
if (name === undefined || name === '--help') {
  process.stdout.write(`${list}\n`);
} else if (names.includes(name)) {
  // The script finds its own arguments where it would find them if it had been started itself.
  process.argv.splice(1, 2, join(import.meta.dirname, `${name}.ts`));
  await import(`./${name}.ts`);
} else {
  process.stderr.write(`there is no ${name}\n\n${list}\n`);
  process.exitCode = 2;
}
