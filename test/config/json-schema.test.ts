import fc from 'fast-check';
import t from 'tap';
import { formatAddress } from '../../src/config/address.ts';
import { type JsonSchema, jsonSchema } from '../../src/config/json-schema.ts';
import { parseConfig } from '../../src/config/load.ts';
import { GOOD } from './fault-cases.ts';

const SCHEMA = jsonSchema();

function leaves(schema: JsonSchema, path: string): { readonly path: string; readonly schema: JsonSchema }[] {
  const inner = schema.properties ?? schema.items?.properties;
  if (inner === undefined) return [{ path, schema }];
  return Object.entries(inner).flatMap(([key, one]) => leaves(one, path === '' ? key : `${path}.${key}`));
}

t.test('the JSON Schema is of draft 2020-12 and refuses unknown keys at every level', async (t) => {
  t.equal(SCHEMA.$schema, 'https://json-schema.org/draft/2020-12/schema');
  t.strictSame(SCHEMA.required, ['routes']);
  t.strictSame(SCHEMA.properties?.routes?.items?.required, ['name', 'protocol', 'listen', 'upstream']);
  const objects = (schema: JsonSchema): JsonSchema[] => [
    ...(schema.properties === undefined ? [] : [schema]),
    ...Object.values(schema.properties ?? {}).flatMap(objects),
    ...(schema.items === undefined ? [] : objects(schema.items)),
  ];
  for (const one of objects(SCHEMA)) t.equal(one.additionalProperties, false);
});

t.test('every key has a description that is a sentence, and numbers have bounds', async (t) => {
  for (const { path, schema } of leaves(SCHEMA, '')) {
    t.match(schema.description ?? '', /^[A-Z].*\.$/, path);
    if (schema.type !== 'integer') continue;
    t.type(schema.minimum, 'number', path);
    t.type(schema.maximum, 'number', path);
  }
});

t.test('every key of the top level has a default that the configuration uses', async (t) => {
  const config = parseConfig(GOOD, 'config.yaml');
  for (const { path, schema } of leaves(SCHEMA, '').filter((leaf) => !leaf.path.startsWith('routes'))) {
    const used = path.split('.').reduce<unknown>((value, key) => Reflect.get(Object(value), key), config);
    t.strictSame(used, schema.default, path);
  }
});

t.test('a route may override every key of the idle rules, of the pool, of the limits and of dialling', async (t) => {
  const own = new Set(leaves(SCHEMA.properties?.routes ?? {}, '').map(({ path }) => path));
  for (const { path } of leaves(SCHEMA, '')) {
    if (/^(routes|admin|health|log)/.test(path)) continue;
    t.ok(own.has(path), path);
  }
});

t.test('the pattern of addresses admits every address', async () => {
  const pattern = new RegExp(SCHEMA.properties?.admin?.properties?.listen?.pattern ?? '(?!)');
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant('my_service'));
  fc.assert(fc.property(host, fc.nat(65535), (host, port) => pattern.test(formatAddress({ host, port }))));
});
