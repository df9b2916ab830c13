/** Arguments and outcome of the long measurements, the same for all of them. */
import { parseArgs } from 'node:util';
import type { DriverKind } from '../brokers/clients/driver.ts';
import { percentile } from '../brokers/ledger.ts';

interface Option {
  /** A number, or one of the words. */
  readonly value: number | readonly string[];
  readonly help: string;
}

export type Values<Options extends Readonly<Record<string, Option>>> = {
  readonly [Key in keyof Options]: Options[Key]['value'] extends number ? number : string;
};

/** How many clients of each kind: the sizes of the measurements that are published. */
export const CLIENTS = {
  librdkafka: { value: 50, help: 'librdkafka producers' },
  java: { value: 10, help: 'Java producers' },
  kafkajs: { value: 10, help: 'kafkajs producers' },
} as const satisfies Record<string, Option>;

/** The same for Pulsar. */
export const PULSAR_CLIENTS = {
  python: { value: 20, help: 'Python (C++) clients' },
  java: { value: 5, help: 'Java clients' },
  producers: { value: 4, help: 'producers of each client' },
  processes: { value: ['one', 'each'], help: 'a process for all clients of a kind, or for each' },
  brokers: { value: ['1', '2'], help: 'of Pulsar' },
  'load-manager': { value: ['modular', 'extensible'], help: 'of two brokers' },
} as const satisfies Record<string, Option>;

export function kindsOf(values: Readonly<Record<keyof typeof CLIENTS, number>>): Partial<Record<DriverKind, number>> {
  const { librdkafka, java, kafkajs } = values;
  return Object.fromEntries(Object.entries({ librdkafka, java, kafkajs }).filter(([, count]) => count > 0));
}

/**
 * Reads `--name value` arguments; the first word of a list and the number are the defaults. Prints help and ends the
 * process with 0 on `--help`, with 2 on an argument that it does not know.
 *
 * @param script its name for `npm run test:soak`
 */
export function argumentsOf<const Options extends Readonly<Record<string, Option>>>(
  script: string,
  about: string,
  options: Options,
): Values<Options> {
  const entries = Object.entries(options);
  const help = [
    `npm run test:soak -- ${script} [--option value]...`,
    '',
    about,
    '',
    ...entries.map(([name, { value, help }]) => {
      const shown = typeof value === 'number' ? `--${name} ${value}` : `--${name} ${value.join('|')}`;
      return `  ${shown.padEnd(30)} ${help}`;
    }),
    '',
    'Prints progress and a table on stderr, and one JSON line on stdout. Needs what `npm run test:brokers` needs.',
  ].join('\n');
  const fail = (reason: string): never => {
    process.stderr.write(`${reason}\n\n${help}\n`);
    process.exit(2);
  };
  const known = Object.fromEntries(entries.map(([name]) => [name, { type: 'string' as const }]));
  let given: Readonly<Record<string, unknown>> = {};
  try {
    given = parseArgs({ options: { ...known, help: { type: 'boolean' } } }).values;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
  if (given.help === true) {
    process.stdout.write(`${help}\n`);
    process.exit(0);
  }
  return Object.fromEntries(
    entries.map(([name, { value }]) => {
      const text = given[name] as string | undefined;
      if (typeof value !== 'number') {
        const word = text ?? value[0] ?? '';
        return [name, value.includes(word) ? word : fail(`--${name} must be one of ${value.join(', ')}`)];
      }
      const number = text === undefined ? value : Number(text);
      return [name, Number.isFinite(number) && number >= 0 ? number : fail(`--${name} must be a number`)];
    }),
  ) as Values<Options>;
}

const begun = performance.now();

/** Progress, on stderr, with the time since the start. */
export function tell(text: string): void {
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stderr.write(
    `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')} ${text}\n`,
  );
}

/** `p50 1.2 ms, p99 3.4 ms of 70` */
export function latencyText(samples: readonly number[]): string {
  return `p50 ${percentile(samples, 0.5)} ms, p99 ${percentile(samples, 0.99)} ms of ${samples.length}`;
}

export function latencyFigures(samples: readonly number[]): object {
  return {
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
    max: percentile(samples, 1),
    count: samples.length,
  };
}

/** A table whose columns are the ways, and the same as one JSON line. */
export function publish(
  script: string,
  rows: readonly (readonly [label: string, ...cells: (string | number)[]])[],
  json: Readonly<Record<string, unknown>>,
): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  process.stderr.write(`\n${lines.join('\n')}\n\n`);
  process.stdout.write(`${JSON.stringify({ measurement: script, ...json })}\n`);
}
