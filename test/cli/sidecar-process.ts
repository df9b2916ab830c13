/** A sidecar as its own process, from its source; it goes with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
/** Set already, so that the process does not start itself once more to set them: that halves the time of a test. */
const ALLOCATOR = { MALLOC_TRIM_THRESHOLD_: '1000000000', MALLOC_TOP_PAD_: '16777216' };

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

export class SidecarProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #out = '';
  #err = '';

  constructor(t: Test, args: readonly string[], nodeArgs: readonly string[] = []) {
    const env = { ...process.env, ...ALLOCATOR, NODE_OPTIONS: '' };
    this.child = spawn(process.execPath, [...nodeArgs, MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal, out: this.#out, err: this.#err }));
    t.teardown(() => {
      this.child.kill('SIGKILL');
    });
  }

  /** The first log line with this sentence. Rejects if the process ends before it is written. */
  async line(sentence: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#lines().find(({ msg }) => msg === sentence);
      if (found !== undefined) return found;
      const ended = await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.ended]);
      if ('code' in ended && this.#lines().every(({ msg }) => msg !== sentence)) {
        throw new Error(`ended without "${sentence}": ${this.#out}${this.#err}`);
      }
    }
  }

  #lines(): Record<string, unknown>[] {
    const whole = this.#out.slice(0, this.#out.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

interface Changes {
  readonly admin?: string;
  readonly bootstrap?: string;
  readonly more?: string;
}

/** A configuration on free ports whose brokers are not there. */
export function configFile(t: Test, changes: Changes = {}): string {
  const file = join(t.testdir({}), 'slackwater.yaml');
  writeFileSync(
    file,
    `routes:
  - name: orders
    protocol: kafka
    listen: 127.0.0.1:0
    upstream: { bootstrap: ['${changes.bootstrap ?? '127.0.0.1:1'}'] }
    brokers: { portBase: 39092 }
admin: { listen: '${changes.admin ?? '127.0.0.1:0'}' }
health: { listen: 127.0.0.1:0 }
${changes.more ?? ''}`,
  );
  return file;
}
