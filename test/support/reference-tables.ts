/** Tables of the documentation that are what lists in the code say; `write-reference-docs.ts` writes them. */

import { ADMIN_ERRORS } from '../../src/admin/admin-error.ts';
import { ADMIN_ENDPOINTS, type Endpoint, HEALTH_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { COMMAND_ERRORS } from '../../src/cli/command-error.ts';
import { COMMANDS } from '../../src/cli/command-line.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import { DIAL_GUIDE } from '../../src/telemetry/dial-guide.ts';
import { FAMILIES } from '../../src/telemetry/families.ts';
import { type Advice, CLOSE_GUIDE, PIN_GUIDE, RELEASE_GUIDE } from '../../src/telemetry/guide.ts';
import { EVENTS } from '../../src/telemetry/lines.ts';

type FieldOf<E> = E extends unknown ? Exclude<keyof E, 'type'> : never;

const EVENT_FIELDS: Readonly<Record<FieldOf<CoreEvent>, string>> = {
  route: 'Name of the route.',
  broker: 'Node id in decimal, or `bootstrap`; for protocols without node ids the advertised `host:port`.',
  client: 'Id of the client, as in `GET /v1/clients`.',
  remote: 'Where the client comes from, `host:port`.',
  upstream: 'Id of the broker connection, as in `GET /v1/upstreams`.',
  reason: 'A member of the closed list that belongs to the event; see [reasons.md](reasons.md).',
  detail: 'A sentence for people; absent if there is nothing to add.',
  ageSeconds: 'How long it was there; of `lease.waiting` how long the client has waited.',
  dialSeconds: 'How long the dial took, greeting included.',
  clients: 'How many clients waited for the dial.',
  identity: "Whose connection: '' for the route's own identity, else a user of `listenSasl`.",
  address: 'The broker as its cluster advertises it, or as the configuration names it.',
  retrySeconds: 'When the next attempt may be made, if somebody asks for it.',
  idleSeconds: 'Since the last valid data; null if it never carried any.',
  opened: 'False if the connection was never opened.',
  waiters: 'How many clients wait for a connection to this broker.',
  change:
    'Of `broker.changed`: `added`, `moved`, `removed`, `down`, `up`; of `identity.changed`: `read`, `accepted`, `refused`, `unreadable`.',
  local: 'Where applications reach the broker; absent while they cannot.',
};

export interface ReferenceTable {
  /** Below docs/. */
  readonly file: string;
  readonly name: string;
  text(): string;
}

export const TABLES: readonly ReferenceTable[] = [
  {
    file: 'metrics.md',
    name: 'metrics',
    text: () =>
      table(
        ['metric', 'type', 'labels', 'meaning'],
        Object.entries(FAMILIES).map(([name, { type, labels, help }]) => [
          code(name),
          type,
          labels.map(code).join(', '),
          help,
        ]),
      ),
  },
  { file: 'reasons.md', name: 'release', text: () => guide(RELEASE_GUIDE) },
  { file: 'reasons.md', name: 'close', text: () => guide(CLOSE_GUIDE) },
  { file: 'reasons.md', name: 'pin', text: () => guide(PIN_GUIDE, false) },
  { file: 'reasons.md', name: 'dial', text: () => guide(DIAL_GUIDE) },
  {
    file: 'events.md',
    name: 'events',
    text: () =>
      table(
        ['event', 'meaning'],
        Object.entries(EVENTS).map(([type, { meaning }]) => [code(type), meaning]),
      ),
  },
  {
    file: 'events.md',
    name: 'fields',
    text: () =>
      table(
        ['field', 'meaning'],
        Object.entries(EVENT_FIELDS).map(([field, meaning]) => [code(field), meaning]),
      ),
  },
  { file: 'api.md', name: 'health', text: () => endpoints(HEALTH_ENDPOINTS) },
  { file: 'api.md', name: 'admin', text: () => endpoints(ADMIN_ENDPOINTS) },
  {
    file: 'errors.md',
    name: 'admin',
    text: () =>
      table(
        ['code', 'status', 'what to do'],
        Object.entries(ADMIN_ERRORS).map(([name, { status, remedy }]) => [code(name), String(status), remedy]),
      ),
  },
  {
    file: 'errors.md',
    name: 'command',
    text: () =>
      table(
        ['code', 'exit code', 'meaning'],
        Object.entries(COMMAND_ERRORS).map(([name, { exitCode, meaning }]) => [code(name), String(exitCode), meaning]),
      ),
  },
  {
    file: 'cli.md',
    name: 'commands',
    text: () =>
      table(
        ['command', 'what it does'],
        COMMANDS.filter(({ hidden }) => !hidden).map(({ name, summary }) => [code(`slackwater ${name}`), summary]),
      ),
  },
  {
    file: 'cli.md',
    name: 'options',
    text: () =>
      table(
        ['command', 'option', 'default', 'meaning'],
        COMMANDS.filter(({ hidden }) => !hidden).flatMap(({ name, options }) =>
          Object.entries(options).map(([option, { alias, demandOption, default: value, describe }]) => [
            code(name),
            code(alias === undefined ? `--${option}` : `-${alias}, --${option}`),
            demandOption === true ? 'required' : value === undefined ? '' : code(String(value)),
            describe ?? '',
          ]),
        ),
      ),
  },
];

/** Replaces what stands between the markers of a table. Throws if they are not there. */
export function withTable(document: string, name: string, text: string): string {
  const { start, end } = place(document, name);
  return `${document.slice(0, start)}${text}\n${document.slice(end)}`;
}

export function tableIn(document: string, name: string): string {
  const { start, end } = place(document, name);
  return document.slice(start, end).trimEnd();
}

function place(document: string, name: string): { start: number; end: number } {
  const [begin, finish] = [`<!-- ${name}: begin -->\n`, `<!-- ${name}: end -->`];
  const start = document.indexOf(begin);
  const end = document.indexOf(finish);
  if (start < 0 || end < start) throw new Error(`there is no place for the table ${name}`);
  return { start: start + begin.length, end };
}

function guide(advice: Readonly<Record<string, Advice>>, levels = true): string {
  const head = levels ? ['reason', 'log level', 'meaning', 'what to do'] : ['reason', 'meaning', 'what to do'];
  const rows = Object.entries(advice).map(([reason, { level, meaning, remedy }]) =>
    levels ? [code(reason), level, meaning, remedy] : [code(reason), meaning, remedy],
  );
  return table(head, rows);
}

function endpoints(list: readonly Endpoint[]): string {
  return table(
    ['endpoint', 'purpose'],
    list.map(({ method, path, purpose }) => [code(`${method} ${path}`), purpose]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map(() => '---');
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
