/** Writes down what the configuration's schema says: config.example.yaml, and the table in docs/configuration.md. */
import { type JsonSchema, jsonSchema } from '../../src/config/json-schema.ts';

const WIDTH = 100;

const HEADING = [
  'Every key of the configuration with its default, or with an example where there is none.',
  'Only the routes have to be written; docs/configuration.md has the further keys of what is commented',
  'out, and docs/security.md and docs/pulsar.md what they are for.',
];

/** Keys that change what a route or a listener is: an example shows them, and does not use them. */
export const COMMENTED = [
  'tls',
  'sasl',
  'auth',
  'allowedBrokers',
  'rewriteLookups',
  'listenTls',
  'listenSasl',
  'stateFile',
  'keepTopicsAlive',
  'tokenFile',
];

/** JSON Schema drops the example of what becomes something else when it is read, as passwords do. */
const WITH_SECRETS: Readonly<Record<string, object>> = {
  sasl: { mechanism: 'SCRAM-SHA-512', username: 'app', passwordFile: '/etc/slackwater/password' },
  auth: { method: 'token', tokenFile: '/etc/slackwater/token' },
};

const OVERRIDES =
  'Any key from autoReleaseIdleConnectionsEnabled to limits may stand here as well, and ' +
  'upstream.dialTimeoutMilliseconds above: then it holds for this route alone.';

/** Keys that a route has only to override the top level's. */
function isOverride(top: JsonSchema, key: string): boolean {
  return key !== 'upstream' && top.properties?.[key] !== undefined;
}

export function exampleYaml(): string {
  const schema = jsonSchema();
  const lines = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
    '',
    ...(inner.items === undefined ? keyLines(key, inner, '') : routeLines(key, inner, schema)),
  ]);
  return [...HEADING.map((line) => `# ${line}`), ...lines, ''].join('\n');
}

function routeLines(key: string, list: JsonSchema, top: JsonSchema): string[] {
  const route = list.items ?? {};
  const upstream = top.properties?.upstream;
  const keys = Object.entries(route.properties ?? {})
    .filter(([name]) => !isOverride(top, name))
    .map(([name, inner]) => [name, name === 'upstream' ? without(inner, upstream) : inner] as const);
  const lines = keys.flatMap(([name, inner]) => keyLines(name, inner, '    '));
  const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  // The list item's dash stands before its first key.
  const dashed = lines.map((line, index) => (index === first ? line.replace(/^ {4}/, '  - ') : line));
  return [
    ...comment(list.description ?? '', ''),
    `${key}:`,
    ...dashed.slice(0, first).map((line) => line.replace(/^ {4}/, '  ')),
    ...dashed.slice(first),
    '',
    ...comment(OVERRIDES, '    '),
  ];
}

function without(schema: JsonSchema, other: JsonSchema | undefined): JsonSchema {
  const own = Object.entries(schema.properties ?? {}).filter(([key]) => other?.properties?.[key] === undefined);
  return { ...schema, properties: Object.fromEntries(own) };
}

function keyLines(key: string, schema: JsonSchema, indent: string): string[] {
  const heading = comment(schema.description ?? '', indent);
  if (COMMENTED.includes(key)) return [...heading, ...commentedOut(key, schema, indent)];
  if (schema.properties === undefined) return [...heading, `${indent}${key}: ${yamlValue(writtenValue(schema))}`];
  const inner = Object.entries(schema.properties).flatMap(([name, one]) => keyLines(name, one, `${indent}  `));
  return [...heading, `${indent}${key}:`, ...inner];
}

/** What is off unless it is written, as an example. */
function commentedOut(key: string, schema: JsonSchema, indent: string): string[] {
  const example = WITH_SECRETS[key] ?? schema.examples?.[0];
  if (typeof example !== 'object' || example === null || Array.isArray(example))
    return [`${indent}# ${key}: ${yamlValue(example)}`];
  const inner = Object.entries(example).map(([name, value]) => `${indent}#   ${name}: ${yamlValue(value)}`);
  return [`${indent}# ${key}:`, ...inner];
}

function writtenValue(schema: JsonSchema): unknown {
  return schema.default === undefined ? schema.examples?.[0] : schema.default;
}

function yamlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + word.length + 3 <= WIDTH)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines.map((line) => `${indent}# ${line}`);
}

/** A Markdown table with a row for every key. */
export function keyTable(): string {
  const schema = jsonSchema();
  const rows = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => rowsOf(key, inner, schema));
  return ['| key | type | default | per route | meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function rowsOf(path: string, schema: JsonSchema, top: JsonSchema, required = false): string[] {
  const inner = schema.properties ?? schema.items?.properties;
  if (inner === undefined) return [row(path, schema, top, required)];
  const home = schema.items === undefined ? path : `${path}[]`;
  const optional = schema.items === undefined && COMMENTED.includes(path.slice(path.lastIndexOf('.') + 1));
  const rows = Object.entries(inner)
    .filter(([key]) => home !== 'routes[]' || !isOverride(top, key))
    .filter(([key]) => home !== 'routes[].upstream' || top.properties?.upstream?.properties?.[key] === undefined)
    .flatMap(([key, one]) => {
      const needed = (schema.items ?? schema).required?.includes(key) === true;
      return rowsOf(`${home}.${key}`, one, top, needed);
    });
  return optional ? [row(path, schema, top, required), ...rows] : rows;
}

function row(path: string, schema: JsonSchema, top: JsonSchema, required: boolean): string {
  const standard = schema.default === undefined ? '' : `\`${yamlValue(schema.default)}\``;
  const cells = [`\`${path}\``, typeWords(schema), required ? 'required' : standard, perRoute(path, top)];
  return `| ${[...cells, schema.description ?? ''].join(' | ')} |`;
}

function typeWords(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return '`true`, `false`';
  if (schema.type === 'array') return `list of ${typeWords(schema.items ?? {})}`;
  if (schema.type === 'object') return 'mapping';
  return schema.pattern?.includes(':[0-9]') === true ? '`host:port`' : 'text';
}

function perRoute(path: string, top: JsonSchema): string {
  if (path.startsWith('routes[]')) return 'only';
  return path.split('.').reduce<JsonSchema | undefined>((schema, part) => schema?.properties?.[part], route(top)) ===
    undefined
    ? 'no'
    : 'yes';
}

function route(top: JsonSchema): JsonSchema {
  return top.properties?.routes?.items ?? {};
}
