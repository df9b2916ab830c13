/** The layer rule: main -> app -> { admin, telemetry, config, core, protocols, identity, probe, cli, demo } -> contract. */
import { join } from 'node:path';
import t from 'tap';
import { type Import, importsOf, resolved, sourceFiles } from './support/source-files.ts';

const SRC = join(import.meta.dirname, '../src');

/** Where a layer may point: `any` to values and types, `types` to types alone. Its own folder is always allowed. */
interface Arrows {
  readonly any: readonly string[];
  readonly types: readonly string[];
  /** Packages and Node modules, besides those that no layer is denied. */
  readonly packages: RegExp;
}

const NONE = /^$/;
const EVERY = /^/;

const ARROWS: Readonly<Record<string, Arrows>> = {
  contract: { any: [], types: [], packages: NONE },
  core: { any: ['contract'], types: [], packages: /^node:/ },
  protocols: { any: ['contract'], types: [], packages: /^node:(buffer|crypto|zlib)$/ },
  config: { any: ['contract'], types: [], packages: /^(node:|zod$|yaml$)/ },
  telemetry: { any: ['contract'], types: ['core', 'config'], packages: EVERY },
  admin: { any: ['contract'], types: ['core', 'config'], packages: EVERY },
  identity: { any: ['contract'], types: ['core', 'config'], packages: /^(node:|undici$)/ },
  version: { any: [], types: [], packages: /^node:/ },
  'state-file': { any: ['contract'], types: ['core'], packages: /^node:/ },
  app: {
    any: ['version', 'state-file', 'contract', 'core', 'protocols', 'config', 'telemetry', 'admin', 'identity'],
    types: [],
    packages: EVERY,
  },
  // `check --connect` must find out what a route would, so it dials with the very parts that a route is made of.
  probe: {
    any: ['contract', 'core', 'protocols', 'config', 'telemetry', 'admin', 'identity'],
    types: [],
    packages: /^node:/,
  },
  cli: { any: ['version', 'contract', 'app', 'probe', 'config', 'identity', 'demo'], types: ['core'], packages: EVERY },
  demo: { any: ['contract', 'app', 'config'], types: ['core'], packages: EVERY },
  allocator: { any: [], types: [], packages: /^node:/ },
  main: { any: ['allocator', 'version', 'contract', 'app', 'config', 'cli', 'demo'], types: [], packages: EVERY },
};

/** Files of the core that hold closed lists, which are values: whoever labels or prints them may import them. */
const CLOSED_LISTS = ['core/events.ts', 'core/views.ts'];
/** What the core says about logins, errors among it, for those who make them. */
const LOGINS = 'core/login.ts';

/** `core/pool.ts` is of layer `core`, `app.ts` of layer `app`. */
function layerOf(path: string): string {
  return path.replace(/\.ts$/, '').split('/')[0] ?? '';
}

/** What is wrong with an import, or undefined. */
function fault(importer: string, { specifier, typeOnly }: Import): string | undefined {
  const layer = layerOf(importer);
  const arrows = ARROWS[layer];
  if (arrows === undefined) return 'the file belongs to no layer';
  const target = resolved(importer, specifier);
  if (target === undefined) return arrows.packages.test(specifier) ? undefined : `${layer} must not use ${specifier}`;
  const aim = layerOf(target);
  if (layer === 'protocols' && aim === 'protocols') return betweenProtocols(importer, target);
  if (aim === layer || arrows.any.includes(aim)) return undefined;
  if (layer === 'identity' && target === LOGINS) return undefined;
  if (arrows.types.includes(aim)) {
    return typeOnly || CLOSED_LISTS.includes(target) ? undefined : `${layer} may import only types from ${aim}`;
  }
  return `${layer} must not import ${aim}`;
}

/** The registry knows every protocol, a protocol none but itself. */
function betweenProtocols(importer: string, target: string): string | undefined {
  const [from, to] = [importer, target].map((path) => path.split('/'));
  if (from?.length === 2 || from?.[1] === to?.[1]) return undefined;
  return `protocol ${from?.[1]} must not import ${target}`;
}

function faults(importer: string, text: string): string[] {
  return importsOf(text).flatMap((one) => {
    const found = fault(importer, one);
    return found === undefined ? [] : [`${importer}: ${found} (${one.specifier})`];
  });
}

t.test('every import in src follows the arrows of the layer rule', async (t) => {
  const files = sourceFiles(SRC);
  t.ok(files.length > 10);
  t.strictSame(
    files.flatMap(({ path, text }) => faults(path, text)),
    [],
  );
});

t.test('an import against an arrow is found', async (t) => {
  const cases: readonly (readonly [importer: string, statement: string, allowed: boolean])[] = [
    ['contract/a.ts', "import { b } from '../core/b.ts';", false],
    ['contract/a.ts', "import { b } from './b.ts';", true],
    ['core/a.ts', "import type { B } from '../contract/b.ts';", true],
    ['core/deep/a.ts', "import type { B } from '../../contract/b.ts';", true],
    ['core/a.ts', "import type { B } from '../config/b.ts';", false],
    ['core/a.ts', "import { b } from '../protocols/kafka/b.ts';", false],
    ['core/a.ts', "import pino from 'pino';", false],
    ['core/a.ts', "const { b } = await import('../admin/b.ts');", false],
    ['core/a.ts', "export { b } from '../telemetry/b.ts';", false],
    ['core/a.ts', "export * from '../telemetry/b.ts';", false],
    ['core/a.ts', "import '../telemetry/b.ts';", false],
    ['core/a.ts', "import {\n  b,\n  c,\n} from '../telemetry/b.ts';", false],
    ['protocols/kafka/a.ts', "import { b } from './apis/b.ts';", true],
    ['protocols/kafka/a.ts', "import { b } from '../tcp/b.ts';", false],
    ['protocols/kafka/a.ts', "import { b } from '../registry.ts';", false],
    ['protocols/kafka/a.ts', "import { connect } from 'node:net';", false],
    ['protocols/registry.ts', "import { b } from './tcp/b.ts';", true],
    ['config/a.ts', "import type { RouteOptions } from '../core/options.ts';", false],
    ['identity/a.ts', "import { LoginError } from '../core/login.ts';", true],
    ['identity/a.ts', "import { b } from '../core/pool.ts';", false],
    ['identity/a.ts', "import type { B } from '../config/b.ts';", true],
    ['identity/a.ts', "import { b } from '../config/b.ts';", false],
    ['identity/a.ts', "import { b } from '../telemetry/b.ts';", false],
    ['core/a.ts', "import type { B } from '../identity/b.ts';", false],
    ['admin/a.ts', "import type { B } from '../identity/b.ts';", false],
    ['cli/a.ts', "import { b } from '../identity/b.ts';", true],
    ['telemetry/a.ts', "import type { B } from '../core/pool.ts';", true],
    ['telemetry/a.ts', "import { type B, type C } from '../core/pool.ts';", true],
    ['telemetry/a.ts', "import { b, type C } from '../core/pool.ts';", false],
    ['telemetry/a.ts', "import { DIAL_FAILURES } from '../core/events.ts';", true],
    ['admin/a.ts', "import { b } from '../config/load.ts';", false],
    ['admin/a.ts', "import type { B } from '../telemetry/b.ts';", false],
    ['identity/a.ts', "import { LoginError } from '../core/login.ts';", true],
    ['identity/a.ts', "import { b } from '../core/pool.ts';", false],
    ['telemetry/a.ts', "import { LoginError } from '../core/login.ts';", false],
    ['app.ts', "import { b } from './cli/b.ts';", false],
    ['app.ts', "import { b } from './demo/b.ts';", false],
    ['probe/a.ts', "import { b } from '../core/b.ts';", true],
    ['probe/a.ts', "import { b } from '../app.ts';", false],
    ['app.ts', "import { b } from './probe/b.ts';", false],
    ['cli/a.ts', "import { b } from '../probe/b.ts';", true],
    ['demo/a.ts', "import { b } from '../cli/b.ts';", false],
    ['demo/a.ts', "import { b } from '../app.ts';", true],
    ['cli/a.ts', "import { b } from '../demo/b.ts';", true],
    ['main.ts', "import { b } from './cli/b.ts';", true],
    ['utils/a.ts', "import { b } from './b.ts';", false],
  ];
  for (const [importer, statement, allowed] of cases) {
    t.equal(faults(importer, statement).length === 0, allowed, `${importer}: ${statement}`);
  }
});

t.test('the core names no protocol', async (t) => {
  const named = sourceFiles(join(SRC, 'core')).filter(({ text }) => /kafka|pulsar/i.test(text));
  t.strictSame(
    named.map(({ path }) => path),
    [],
  );
});

t.test('protocols and the contract know neither timer nor clock', async (t) => {
  const timed = ['protocols', 'contract']
    .flatMap((layer) => sourceFiles(join(SRC, layer)))
    .filter(({ text }) => /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date|performance\.)/.test(text));
  t.strictSame(
    timed.map(({ path }) => path),
    [],
  );
});
