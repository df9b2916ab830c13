import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { parseCredentials } from '../../src/config/credentials.ts';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { ConfigError, type ConfigFault } from '../../src/config/fault.ts';
import { type JsonSchema, jsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { COMMENTED, exampleYaml, keyTable } from '../support/config-docs.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'config.example.yaml');
const DOCS = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');

t.test('config.example.yaml is what the schema says: run npm run docs if it is not', async (t) => {
  t.equal(readFileSync(EXAMPLE, 'utf8'), exampleYaml());
});

t.test('the table in docs/configuration.md is what the schema says: run npm run docs if it is not', async (t) => {
  t.equal(/<!-- keys: begin -->\n([\s\S]*)\n<!-- keys: end -->/.exec(DOCS)?.[1], keyTable());
});

/** The keys of a mapping that the example uses: without those that it shows in comments. */
function used(schema: JsonSchema | undefined): string[] {
  return Object.keys(schema?.properties ?? {}).filter((key) => !COMMENTED.includes(key));
}

t.test('config.example.yaml has every key', async (t) => {
  const text = readFileSync(EXAMPLE, 'utf8');
  const written: unknown = parse(text);
  for (const key of COMMENTED) t.match(text, new RegExp(`^ +# ${key}: ?`, 'm'), `${key} is commented out`);
  const schema = jsonSchema();
  const route = Reflect.get(Object(written), 'routes')[0];
  const top = Object.keys(schema.properties ?? {});
  t.strictSame(Object.keys(Object(written)), top);
  for (const key of top) {
    if (schema.properties?.[key]?.properties === undefined) continue;
    t.strictSame(Object.keys(Reflect.get(Object(written), key)), used(schema.properties?.[key]), key);
  }
  const routeSchema = schema.properties?.routes?.items;
  const ofRoute = routeSchema?.properties ?? {};
  t.strictSame(Object.keys(route), ['name', 'protocol', 'listen', 'upstream', 'brokers']);
  t.strictSame(
    used(routeSchema).filter((key) => !(key in route) && !top.includes(key)),
    [],
    'every other key of a route stands at the top level as well',
  );
  t.strictSame(Object.keys(route.brokers), used(ofRoute.brokers));
  t.strictSame([...Object.keys(route.upstream), 'dialTimeoutMilliseconds'], used(ofRoute.upstream));
});

t.test('config.example.yaml has the defaults', async (t) => {
  const example = await loadConfig(EXAMPLE);
  const smallest = parseConfig(/```yaml\n([\s\S]*?)```/.exec(DOCS)?.[1] ?? '', 'docs/configuration.md');
  t.strictSame(effectiveRoutes(example), effectiveRoutes(smallest));
  t.strictSame({ ...example, routes: [] }, { ...smallest, routes: [] });
});

t.test('every credentials file that docs/security.md shows is valid', async (t) => {
  const security = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
  const shown = [...security.matchAll(/```yaml\n(users:[\s\S]*?)```/g)].map(([, text = '']) => text);
  t.ok(shown.length > 0);
  for (const text of shown) t.doesNotThrow(() => parseCredentials(text, 'docs/security.md'));
});

t.test('the faults that docs/configuration.md shows are told in these words', async (t) => {
  const text = [
    'routes:',
    '  - name: orders',
    '    protocol: kafka',
    '    listen: 127.0.0.1:9092',
    '    upstream: { bootstrap: [broker-1:9092] }',
    '    brokers: {  portbase: 29092 }',
    'connectionMaxIdleSeconds: 5',
  ].join('\n');
  t.throws(() => parseConfig(text, 'config.yaml'), new ConfigError('config.yaml', shownFaults()));
});

/** The faults in the documentation, read back from their lines. */
function shownFaults(): ConfigFault[] {
  const shown = /```\n(config\.yaml:[\s\S]*?)\n```/.exec(DOCS)?.[1] ?? '';
  return shown.split('\n').map((line) => {
    const [, row, column, path = '', message = ''] = /^config\.yaml:(\d+):(\d+) (\S+): (.*)$/.exec(line) ?? [];
    return { line: Number(row), column: Number(column), path, message };
  });
}
