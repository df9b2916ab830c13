/** The story of the demo, and what it would say if it were not true. */
import t from 'tap';
import { runDemo } from '../../src/demo/demo.ts';
import type { Message } from '../../src/demo/kafka/state/record.ts';
import { readBack } from '../../src/demo/read-back.ts';
import { Story } from '../../src/demo/story.ts';

t.test('the demo tells its story once, in plain 80 columns, and it holds', async (t) => {
  const lines: string[] = [];
  const code = await runDemo({ once: true, write: (line) => lines.push(line) });
  const text = lines.join('\n');
  t.equal(code, 0, text);
  t.match(text, /broker connections, direct \.+ 36 /);
  t.match(text, /broker connections, asleep \.+ 0$/m);
  t.match(text, /ok {2}for a second: 0 connections, 0 bytes/);
  t.match(text, /messages sent \.+ 144$/m);
  t.match(text, /received \.+ 144$/m);
  t.match(text, /The story held\.$/);
  t.strictSame(
    lines.filter((line) => !/^[ -~]{0,80}$/.test(line)),
    [],
    'no line is longer than 80 columns of ASCII',
  );
});

t.test('a claim that is not true is told, and remembered', async (t) => {
  const lines: string[] = [];
  const story = new Story((line) => lines.push(line));
  story.claim(true, 'water is wet');
  t.ok(story.held);
  story.claim(false, 'fire is cold');
  story.claim(true, 'earth is round');
  t.notOk(story.held);
  story.conclude();
  t.ok(lines.some((line) => line.trim() === 'NO  fire is cold'));
  t.equal(lines.at(-1), 'The story did not hold: fire is cold');
});

t.test('what was lost, doubled or out of order is counted from the logs', async (t) => {
  const sent = new Map([
    ['one', 3],
    ['two', 1],
  ]);
  const message = (key: string, value: number, partition = 0): Message => ({
    ...{ key, value: String(value), partition },
    ...{ offset: 0, producerId: 0, isTransactional: false },
  });
  const good = [message('one', 0), message('two', 0), message('one', 2), message('one', 1, 1)];
  const none = { sent: 4, received: 4, lost: 0, doubled: 0, disordered: 0 };
  for (const [name, messages, expected] of [
    ['all is well', good, none],
    ['a stranger', [...good, message('three', 0)], none],
    ['lost', good.slice(1), { ...none, received: 3, lost: 1 }],
    ['doubled', [...good, message('two', 0)], { ...none, doubled: 1 }],
    ['out of order', [message('one', 1), message('one', 0), message('one', 2), good[1]!], { ...none, disordered: 1 }],
    ['nothing there', [], { ...none, received: 0, lost: 4 }],
  ] as const)
    t.strictSame(readBack(messages, sent), expected, name);
});
