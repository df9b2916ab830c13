/** kcat, with the librdkafka that Debian ships. */
import { run } from '../child.ts';
import type { Judge } from '../judge.ts';
import type { Way } from '../way.ts';

export interface KcatOutcome {
  /** `ID HOST:PORT` of every broker, as kcat was told. */
  readonly nodes: readonly string[];
  /** What it read back, sorted by number. */
  readonly read: readonly string[];
}

const MESSAGES = 500;
const WITHIN_MILLISECONDS = 30_000;

/** What kcat sends. */
export function kcatMessages(): string[] {
  return Array.from({ length: MESSAGES }, (_, number) => `kcat ${number}`);
}

export async function kcat(way: Way, judge: Judge, prefix: string): Promise<KcatOutcome> {
  const topic = `${prefix}-topic`;
  await judge.createTopics([topic], 3);
  const bounded = { withinMilliseconds: WITHIN_MILLISECONDS };
  const listed = JSON.parse(await run('kcat', ['-b', way.bootstrap, '-L', '-J', '-t', topic], bounded)) as {
    brokers: { id: number; name: string }[];
  };
  const sending = ['-P', '-b', way.bootstrap, '-t', topic, '-X', 'enable.idempotence=true'];
  await run('kcat', sending, { ...bounded, input: kcatMessages().join('\n') });
  const read = await run('kcat', ['-C', '-q', '-e', '-b', way.bootstrap, '-t', topic, '-o', 'beginning'], bounded);
  return {
    nodes: listed.brokers.map(({ id, name }) => `${id} ${name}`).sort(),
    read: read.split('\n').sort((a, b) => Number(a.split(' ')[1]) - Number(b.split(' ')[1])),
  };
}
