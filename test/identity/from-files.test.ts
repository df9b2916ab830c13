import { chmodSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FileWatch } from '../../src/identity/file-watch.ts';
import { FileError, type Files } from '../../src/identity/files.ts';
import { FromFiles } from '../../src/identity/from-files.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MountedFolder, temporaryFolder } from '../support/mounted-folder.ts';

/** A pair of files that fit if they hold the same text. */
async function pair(t: Test, one: string, other: string) {
  const clock = new ManualClock();
  const watch = new FileWatch(clock);
  const told: string[] = [];
  let made = 0;
  const pair = await FromFiles.open<string>({
    clock,
    make: async (files: Files) => {
      made += 1;
      const [a, b] = [await files.line(one), await files.line(other)];
      if (a !== b) throw new Error(`${a} does not fit ${b}`);
      return a;
    },
    changed: (value, recovered) => told.push(recovered ? `${value} again` : value),
    unusable: (error) => told.push(`unusable: ${error.message}`),
  });
  watch.add(pair);
  t.teardown(() => watch.close());
  return {
    clock,
    watch,
    told,
    pair,
    made: () => made,
    pass: async (milliseconds: number) => {
      for (let left = milliseconds; left > 0; left -= 250) {
        clock.advance(250);
        await watch.settled();
      }
    },
  };
}

t.test('files that a symbolic link is swapped under are read again within two seconds, as one version', async (t) => {
  const folder = new MountedFolder(t, { one: 'old', other: 'old' });
  const { told, pair: made, pass } = await pair(t, folder.file('one'), folder.file('other'));
  t.equal(made.value, 'old');
  folder.swap({ one: 'new', other: 'new' });
  await pass(2000);
  t.strictSame(told, ['new'], 'one new version, not two');
  t.equal(made.value, 'new');
  folder.swap({ one: 'newer', other: 'newer' });
  folder.swap({ one: 'newest', other: 'newest' });
  await pass(2000);
  t.strictSame(told, ['new', 'newest']);
});

t.test('files that nobody touches are read once', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const file of [one, other]) writeFileSync(file, 'same\n');
  const { told, made, pass } = await pair(t, one, other);
  await pass(60_000);
  t.equal(made(), 1);
  t.strictSame(told, []);
});

t.test('files that are replaced one after the other become one new version', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const file of [one, other]) writeFileSync(file, 'old');
  const { told, pair: made, pass } = await pair(t, one, other);
  writeFileSync(one, 'new');
  await pass(2000);
  t.equal(made.value, 'old', 'they do not fit: the last good ones stay');
  writeFileSync(other, 'new');
  await pass(2000);
  t.strictSame(told, ['new'], 'and nobody was alarmed');
});

t.test('a file is not read while it is being written', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [join(folder, 'one'), join(folder, 'one-linked')];
  writeFileSync(one, 'old');
  symlinkSync('one', other);
  const { told, clock, watch, made } = await pair(t, one, other);
  const step = async () => {
    clock.advance(250);
    await watch.settled();
  };
  truncateSync(one);
  for (let look = 0; look < 4; look += 1) await step();
  for (const text of ['n', 'ne', 'new', 'new secret']) {
    writeFileSync(one, text);
    await step();
  }
  t.equal(made(), 1, 'every look saw another size');
  await step();
  t.strictSame(told, ['new secret']);
});

t.test('a file that is gone or wrong is told once, and what was good stays', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const file of [one, other]) writeFileSync(file, 'good');
  const { told, pair: made, pass } = await pair(t, one, other);
  renameSync(one, `${one}.away`);
  await pass(3000);
  t.strictSame(told, [], 'it may come back at once');
  await pass(30_000);
  t.strictSame(told, [`unusable: ${one} does not exist`]);
  t.equal(made.value, 'good');
  renameSync(`${one}.away`, one);
  await pass(2000);
  t.strictSame(told.slice(1), ['good again']);
  writeFileSync(other, 'bad');
  await pass(30_000);
  t.strictSame(told.slice(2), ['unusable: good does not fit bad']);
  t.equal(made.value, 'good');
});

t.test('what is not a file, is empty, too large, no text or not ours to read is said in words', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'it');
  const good = join(folder, 'good');
  writeFileSync(good, 'good');
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ['', 'is empty'],
    ['\n', 'is empty'],
    [Buffer.alloc(1_048_577, 97), 'is larger than 1048576 bytes'],
    [Buffer.from([0xff, 0xfe]), 'is not UTF-8 text'],
  ];
  for (const [text, why] of cases) {
    writeFileSync(file, text);
    await t.rejects(pair(t, file, good), { message: `${file} ${why}` });
  }
  rmSync(file);
  await t.rejects(pair(t, file, good), { message: `${file} does not exist` });
  await t.rejects(pair(t, folder, good), { message: `${folder} is not a file` });
  await t.rejects(pair(t, join(good, 'below'), good), { message: `${join(good, 'below')} does not exist` });
  if (process.getuid?.() !== 0) {
    writeFileSync(file, 'good');
    chmodSync(file, 0);
    await t.rejects(pair(t, file, good), { message: `${file} may not be read by this process` });
  }
});

t.test('one newline at the end of a secret is not part of it', async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const [text, secret] of [
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    [' secret ', ' secret '],
  ] as const) {
    for (const file of [one, other]) writeFileSync(file, text);
    const { pair: made } = await pair(t, one, other);
    t.equal(made.value, secret);
  }
});

t.test('a watch that is closed looks at nothing any more and leaves no timer', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'it');
  writeFileSync(file, 'old');
  const { watch, told, clock } = await pair(t, file, file);
  t.equal(clock.timers, 1);
  await watch.close();
  t.equal(clock.timers, 0);
  writeFileSync(file, 'new');
  clock.advance(10_000);
  await watch.settled();
  t.strictSame(told, []);
});

t.test(
  'a swap in the middle of a reading is seen, at the start and later, and nothing is made of two versions',
  async (t) => {
    const folder = new MountedFolder(t, { one: 'v0', other: 'v0' });
    const clock = new ManualClock();
    const made: string[] = [];
    let version = 0;
    let swapping = true;
    const pair = await FromFiles.open<string>({
      clock,
      make: async (files) => {
        const one = await files.line(folder.file('one'));
        if (swapping) {
          version += 1;
          folder.swap({ one: `v${version}`, other: `v${version}` });
          swapping = version < 3;
        }
        return `${one} ${await files.line(folder.file('other'))}`;
      },
      changed: (value) => made.push(value),
      unusable: (error) => made.push(error.message),
    });
    t.equal(pair.value, 'v3 v3');
    version = 4;
    folder.swap({ one: 'v4', other: 'v4' });
    swapping = true;
    for (let look = 0; look < 6; look += 1) await pair.look();
    t.strictSame(made, ['v5 v5']);
  },
);

t.test('a file that could not be read is read again although it has not changed', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'it');
  writeFileSync(file, 'old');
  const made: string[] = [];
  let failures = 0;
  const it = await FromFiles.open<string>({
    clock: new ManualClock(),
    make: async (files) => {
      const text = await files.line(file);
      if (failures === 0) return text;
      failures -= 1;
      throw new FileError(file, 'cannot be read: EMFILE');
    },
    changed: (value) => made.push(value),
    unusable: (error) => made.push(error.message),
  });
  writeFileSync(file, 'new');
  failures = 3;
  for (let look = 0; look < 5; look += 1) await it.look();
  t.strictSame(made, ['new']);
});
