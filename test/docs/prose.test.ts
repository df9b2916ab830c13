/** What the documentation says in passing is true: links lead somewhere, configurations are valid, commands exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../../src/cli/command-line.ts';
import { parseConfig } from '../../src/config/load.ts';
import { CLOSE_REASONS, DIAL_FAILURES, PIN_REASONS, RELEASE_REASONS } from '../../src/contract/reasons.ts';
import { DIAL_GUIDE } from '../../src/telemetry/dial-guide.ts';
import { FAMILIES } from '../../src/telemetry/families.ts';
import { CLOSE_GUIDE, RELEASE_GUIDE } from '../../src/telemetry/guide.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Page {
  readonly file: string;
  readonly text: string;
}

const PAGES: readonly Page[] = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));

function page(file: string): string {
  return PAGES.find((one) => one.file === file)?.text ?? '';
}

/** Fenced blocks of a language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [body ?? ''] : [],
  );
}

/** As GitHub makes them of headings. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

t.test('every link within the documentation leads somewhere', async (t) => {
  for (const { file, text } of PAGES) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const full = path === '' ? join(ROOT, file) : join(ROOT, dirname(file), path);
      t.ok(existsSync(full), `${file}: ${target}`);
      if (anchor === undefined) continue;
      const name = relative(ROOT, full);
      t.ok(anchors(page(name)).has(anchor), `${file}: ${name} has no heading ${anchor}`);
    }
  }
});

t.test('every page of the documentation is in its index', async (t) => {
  const index = page('docs/README.md') + page('docs/decisions/README.md');
  for (const { file } of PAGES) {
    if (/^docs\/(decisions\/)?README\.md$/.test(file)) continue;
    t.match(index, file.replace(/^docs\/(decisions\/(?!README))?/, ''), file);
  }
});

t.test('every configuration that the documentation shows is valid', async (t) => {
  const shown = PAGES.flatMap(({ file, text }) => blocks(text, 'yaml').map((yaml) => ({ file, yaml })));
  const whole = shown.filter(({ yaml }) => yaml.startsWith('routes:'));
  t.ok(whole.length >= 2);
  for (const { file, yaml } of whole) t.doesNotThrow(() => parseConfig(yaml, file), file);
});

t.test('every command that the documentation shows exists, with its options', async (t) => {
  const lines = PAGES.flatMap(({ file, text }) =>
    [...text.matchAll(/(?:slackwater|src\/main\.ts|dist\/main\.js) ([a-z][a-z-]*)((?: --[a-z-]+)*)/g)].map(
      ([shown, name = '', options = '']) => ({ file, shown, name, options: options.split(' ').filter(Boolean) }),
    ),
  );
  t.ok(lines.length > 20);
  for (const { file, shown, name, options } of lines) {
    const command = COMMANDS.find((one) => one.name === name);
    if (command === undefined && !shown.startsWith('slackwater')) t.fail(`${file}: ${shown}`);
    for (const option of options) {
      if (command !== undefined) t.hasProp(command.options, option.slice(2), `${file}: ${shown}`);
    }
  }
  const inCode = PAGES.flatMap(({ file, text }) =>
    [...text.matchAll(/`slackwater ([a-z]+)[^`]*`/g)].map(([, name = '']) => ({ file, name })),
  );
  for (const { file, name } of inCode) {
    t.ok(
      COMMANDS.some((one) => one.name === name),
      `${file}: slackwater ${name}`,
    );
  }
});

t.test('every metric that the documentation names exists', async (t) => {
  for (const { file, text } of PAGES) {
    if (file === 'docs/metrics.md') continue; // reference.test.ts holds it to the code, series included
    for (const [, name = ''] of text.matchAll(/\b(slackwater_[a-z_]+[a-z])\b/g)) {
      t.ok(name in FAMILIES, `${file}: ${name}`);
    }
  }
});

t.test('troubleshooting names every reason that means trouble, and none that does not exist', async (t) => {
  const text = page('docs/troubleshooting.md');
  const guides = [CLOSE_GUIDE, RELEASE_GUIDE, DIAL_GUIDE].flatMap((guide) => Object.entries(guide));
  const troubles = guides.flatMap(([reason, { level }]) => (level === 'warn' ? [reason] : []));
  for (const reason of [...troubles, ...PIN_REASONS]) t.match(text, `\`${reason}\``);
  const all: readonly string[] = [...CLOSE_REASONS, ...RELEASE_REASONS, ...PIN_REASONS, ...DIAL_FAILURES];
  const named = [...text.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, reason = '']) => reason);
  for (const reason of named) if (!reason.startsWith('slackwater_')) t.ok(all.includes(reason), reason);
});
