import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';

const WRITER = new URL('./write-lines.ts', import.meta.url).pathname;

t.test(
  'a reader that stalls never stalls the process; what is dropped is counted, the rest is whole and in order',
  async (t) => {
    const child = spawn(process.execPath, [WRITER], { stdio: ['pipe', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    // Nobody reads standard output yet, and 40,000 lines are far more than a pipe holds.
    const [milliseconds] = await once(child.stderr, 'data');
    t.ok(Number(String(milliseconds)) < 5000, 'all lines were taken');
    const [written] = await Promise.all([text(child.stdout), once(child.stdin.end('go'), 'close')]);
    const lines = written
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const kept = lines.flatMap(({ i }) => (typeof i === 'number' ? [i] : []));
    const dropped = lines.filter(({ msg }) => msg === 'log lines were dropped');
    t.ok(kept.length < 40_000, 'some were dropped');
    t.ok(written.length < 2 * 1024 * 1024, 'no more than about 1 MiB was kept');
    t.strictSame(
      kept,
      [...kept].sort((a, b) => a - b),
      'in order',
    );
    t.equal(
      dropped.reduce((sum, { count }) => sum + count, kept.length),
      40_000,
      'each line is there or counted',
    );
  },
);
