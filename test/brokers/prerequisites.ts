/** What these tests need on the machine besides `npm ci`, and how to get it. */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Tool {
  readonly command: string;
  readonly why: string;
  readonly debian: string;
}

const TOOLS: readonly Tool[] = [
  { command: 'java', why: 'runs the brokers and the Java clients', debian: 'openjdk-17-jdk-headless' },
  { command: 'javac', why: 'compiles the Java clients', debian: 'openjdk-17-jdk-headless' },
  { command: 'mvn', why: 'fetches Kafka and Pulsar from Maven Central', debian: 'maven' },
  { command: 'python3', why: 'runs librdkafka and the C++ client of Pulsar', debian: 'python3-venv' },
  { command: 'kcat', why: 'is one of the clients', debian: 'kcat' },
  { command: 'openssl', why: 'makes certificates', debian: 'openssl' },
  { command: 'setpriv', why: 'ends brokers and clients when a test dies', debian: 'util-linux' },
];

function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What is needed for Kafka alone. */
const KAFKA_ONLY = ['kcat', 'openssl'];

/** One line for each tool that is missing; empty if all is there. */
export function missingTools(): string[] {
  return missingOf(TOOLS);
}

function missingOf(tools: readonly Tool[]): string[] {
  const missing = tools
    .filter((tool) => !onPath(tool.command))
    .map((tool) => `${tool.command} is missing: it ${tool.why}`);
  if (!existsSync('/proc/net/tcp')) missing.push('/proc/net/tcp is missing: connections are counted on Linux only');
  return missing;
}

/** @throws Error that says what to install, so that no run without brokers is ever green */
export function requireTools(tools: readonly Tool[] = TOOLS): void {
  const missing = missingOf(tools);
  if (missing.length === 0) return;
  const packages = [...new Set(tools.filter((tool) => !onPath(tool.command)).map((tool) => tool.debian))];
  throw new Error(
    [
      'the tests with real brokers cannot run here:',
      ...missing.map((line) => `  ${line}`),
      ...(packages.length > 0 ? [`on Debian: apt-get install ${packages.join(' ')}`] : []),
    ].join('\n'),
  );
}

/** The same for the tests with Pulsar. */
export function requirePulsarTools(): void {
  requireTools(TOOLS.filter(({ command }) => !KAFKA_ONLY.includes(command)));
}
