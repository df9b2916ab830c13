/** Pulsar's own load tool, one run of it. */
import { Child } from '../child.ts';
import { within } from '../until.ts';
import { javaArguments } from './jvm.ts';

const MAIN = 'org.apache.pulsar.testclient.PulsarPerfTestTool';
/** Its histograms alone are some hundred. */
const MEGABYTES = 1024;
const WITHIN_MILLISECONDS = 300_000;
/** `Aggregated throughput stats --- 300000 records sent --- 41234.567 msg/s --- 62.918 Mbit/s` */
const OUTCOME = /Aggregated throughput stats --- (\d+) records (?:sent|received) --- ([\d.]+) msg\/s/;

export interface PerfOutcome {
  readonly messages: number;
  readonly messagesPerSecond: number;
}

/**
 * Runs the tool until it ends by itself.
 *
 * @param args with what ends it: a number of messages, or a time
 * @throws Error with the end of its output if it has counted nothing, or is not done in five minutes
 */
export async function perf(
  command: 'produce' | 'consume',
  { url, topic }: { readonly url: string; readonly topic: string },
  args: readonly string[],
): Promise<PerfOutcome> {
  // It looks once in an interval of its statistics whether it is done.
  const all = ['/dev/null', command, '--service-url', url, '--stats-interval-seconds', '1', ...args, topic];
  const child = new Child('pulsar-perf', 'java', await javaArguments(MAIN, all, { megabytes: MEGABYTES, tuned: true }));
  const lines: string[] = [];
  child.onLine('stdout', (line) => lines.push(line));
  child.onLine('stderr', (line) => lines.push(line));
  try {
    await within(`pulsar-perf ${command} to end`, WITHIN_MILLISECONDS, child.heardOut());
  } finally {
    child.signal('SIGKILL');
  }
  const found = lines.map((line) => OUTCOME.exec(line)).find((match) => match !== null);
  const outcome = { messages: Number(found?.[1]), messagesPerSecond: Number(found?.[2]) };
  if (!(outcome.messages > 0)) throw new Error(`pulsar-perf ${command} at ${url}:\n${lines.slice(-20).join('\n')}`);
  return outcome;
}
