import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ADMIN_ERRORS } from '../../src/admin/admin-error.ts';
import { COMMAND_ERRORS } from '../../src/cli/command-error.ts';
import { CLOSE_REASONS, DIAL_FAILURES, PIN_REASONS, RELEASE_REASONS } from '../../src/contract/reasons.ts';
import { CLIENT_STATES, UPSTREAM_STATES } from '../../src/core/views.ts';
import { History } from '../../src/telemetry/history.ts';
import { LOG_LEVELS } from '../../src/telemetry/log.ts';
import { adminOn, ask } from '../admin/listeners.ts';
import { clientView, FakeRoute, routeView, upstreamView } from '../support/fake-route.ts';
import { TABLES, tableIn } from '../support/reference-tables.ts';

const ROOT = join(import.meta.dirname, '../..');
const WRITE = 'node test/support/write-reference-docs.ts brings it up to date';

function document(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

/** The words in code marks of the first column. */
function firstColumn(table: string): string[] {
  const cells = table.split('\n').map((line) => line.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? ''));
}

for (const { file, name, text } of TABLES) {
  t.test(`the table ${name} of docs/${file} is what the code says`, async (t) => {
    t.equal(tableIn(document(file), name), text(), WRITE);
  });
}

t.test('every member of a closed list is documented, and nothing else is', async (t) => {
  const lists = { release: RELEASE_REASONS, close: CLOSE_REASONS, pin: PIN_REASONS, dial: DIAL_FAILURES };
  for (const [name, list] of Object.entries(lists)) {
    t.strictSame(firstColumn(tableIn(document('reasons.md'), name)).sort(), [...list].sort(), name);
  }
});

t.test('every error code in the sources is documented, and nothing else is', async (t) => {
  const codes = new Set<string>([...Object.keys(ADMIN_ERRORS), ...Object.keys(COMMAND_ERRORS)]);
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    // The embedded brokers of the demo are no part of what runs beside an application.
    if (!file.endsWith('.ts') || file.startsWith('demo')) continue;
    const source = readFileSync(join(ROOT, 'src', file), 'utf8');
    for (const [, code] of source.matchAll(/readonly code = '(\w+)'/g)) if (code !== undefined) codes.add(code);
  }
  const rows = document('errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  t.strictSame(firstColumn(rows.join('\n')).sort(), [...codes].sort());
});

t.test('docs/api.md has every field of every answer, and nothing else', async (t) => {
  const history = new History();
  const at = { route: 'orders', broker: '1' };
  history.observe({ type: 'broker.changed', ...at, change: 'up', address: 'b:1', local: '' });
  const failure = { identity: '', address: 'b:1', reason: 'refused', detail: '', retrySeconds: 1 } as const;
  history.observe({ type: 'upstream.dial_failed', ...at, ...failure });
  const { url } = await adminOn(t);
  const answers: Record<string, object[]> = {
    route: [routeView('orders')],
    broker: [...routeView('orders').brokers],
    recent: history.recent(),
    upstream: [upstreamView()],
    client: [clientView()],
    version: [(await ask(`${url}/v1/version`)).body],
  };
  for (const [name, views] of Object.entries(answers)) {
    const fields = new Set(views.flatMap((view) => Object.keys(view)));
    t.strictSame(firstColumn(tableIn(document('api.md'), name)).sort(), [...fields].sort(), name);
  }
  const route = new FakeRoute();
  for (const field of Object.keys(await route.reap({ olderThanSeconds: 0, dryRun: true }))) {
    t.match(document('api.md'), `\`${field}\``, field);
  }
});

t.test('states and log levels are named where they are explained', async (t) => {
  for (const state of [...UPSTREAM_STATES, ...CLIENT_STATES]) {
    for (const file of ['api.md', 'cli.md', 'metrics.md'])
      t.match(document(file), `\`${state}\``, `${state} in ${file}`);
  }
  for (const level of LOG_LEVELS) t.match(document('events.md'), `\`${level}\``, level);
});

t.test('links between the documents lead somewhere', async (t) => {
  for (const file of new Set(TABLES.map((table) => table.file))) {
    for (const [, target = '', anchor] of document(file).matchAll(/\]\((\w+\.md)(?:#([\w-]+))?\)/g)) {
      const headings = [...document(target).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading.toLowerCase().replaceAll(' ', '-'),
      );
      t.ok(anchor === undefined || headings.includes(anchor), `${file} -> ${target}#${anchor}`);
    }
  }
});
