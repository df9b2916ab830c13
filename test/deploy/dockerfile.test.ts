import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { copiesOf, INSTRUCTIONS, instructionsOf, isSent, pairsOf, stagesOf } from './dockerfile.ts';
import { DEFAULT_HEALTH_PORT, HEALTH_PATHS, urlsIn } from './probe.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const instructions = instructionsOf(read('Dockerfile'));
const stages = stagesOf(instructions);
const last = stages.at(-1) ?? [];
const manifest: unknown = JSON.parse(read('package.json'));
const field = (name: string): unknown => Reflect.get(Object(manifest), name);

function only(name: string): string {
  const found = last.filter((instruction) => instruction.name === name);
  if (found.length !== 1) throw new Error(`the last stage has ${found.length} of ${name}`);
  return found[0]?.rest ?? '';
}

t.test('every instruction of the Dockerfile is one that builders know', async (t) => {
  t.strictSame(
    instructions.filter(({ name }) => !INSTRUCTIONS.has(name)),
    [],
  );
  t.equal(instructions[0]?.name, 'FROM');
  t.equal(stages.length, 2);
});

t.test('the image has a Node that may run the package, and glibc', async (t) => {
  const wanted = Number(/\d+/.exec(String(Reflect.get(Object(field('engines')), 'node')))?.[0]);
  for (const [from] of stages) {
    const [, major, flavour] = /^node:(\d+)\S*?-(\S+)/.exec(from?.rest ?? '') ?? [];
    t.ok(Number(major) >= wanted, `${from?.rest} is at least Node ${wanted}`);
    t.match(flavour, /slim$/);
    t.notMatch(from?.rest, /alpine|musl/);
  }
});

t.test('everything that is copied exists and is sent to the builder', async (t) => {
  const ignore = read('.dockerignore');
  const copies = copiesOf(instructions);
  const sources = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources);
  t.ok(sources.length >= 5);
  for (const source of sources) {
    t.ok(existsSync(join(ROOT, source)), `${source} exists`);
    t.ok(isSent(source, ignore), `${source} is not ignored`);
  }
  const names = stages.map(([from]) => / AS (\S+)$/.exec(from?.rest ?? '')?.[1]);
  for (const { from } of copies) if (from !== undefined) t.ok(names.includes(from), `${from} is a stage`);
});

t.test('what need not be in the image is not even sent', async (t) => {
  const ignore = read('.dockerignore');
  for (const path of ['node_modules', '.git', 'test', 'docs', 'config.yaml', '.env', 'dist']) {
    t.notOk(isSent(path, ignore), path);
  }
});

t.test('only packages that run are kept', async (t) => {
  const runs = stages[0]?.filter(({ name }) => name === 'RUN').map(({ rest }) => rest) ?? [];
  t.match(runs[0], /^npm ci\b/);
  t.match(runs.at(-1), /npm prune --omit=dev/);
  const scripts = runs.flatMap((run) => [...run.matchAll(/npm run (\w+)/g)].map(([, script]) => script));
  t.strictSame(scripts, ['build']);
  t.hasProp(Object(field('scripts')), 'build');
  t.notHas(Object(field('dependencies')), { node: /./ }, 'the npm package `node` is a devDependency');
});

t.test('the process is not root, and its user is a number', async (t) => {
  const [, user, group] = /^(\d+):(\d+)$/.exec(only('USER')) ?? [];
  t.ok(Number(user) > 0 && Number(group) > 0, only('USER'));
});

t.test('the allocator is told what the process would otherwise start itself again for', async (t) => {
  const env = pairsOf(only('ENV'));
  const allocator = read('src/allocator.ts');
  const names = Object.keys(env).filter((name) => name.startsWith('MALLOC_'));
  t.strictSame(names, ['MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_']);
  for (const name of names) t.match(allocator, `${name}: '${env[name]}'`);
  t.equal(env.NODE_ENV, 'production');
});

t.test('the image runs the command of the package', async (t) => {
  const command = String(Reflect.get(Object(field('bin')), 'slackwater'));
  t.equal(only('RUN'), `ln -s ${only('WORKDIR')}/${command} /usr/local/bin/slackwater`);
  t.strictSame(JSON.parse(only('ENTRYPOINT')), ['slackwater']);
  t.strictSame(JSON.parse(only('CMD')), ['run', '-c', '/etc/slackwater/config.yaml']);
  t.equal(only('STOPSIGNAL'), 'SIGTERM');
  t.match(only('EXPOSE'), String(DEFAULT_HEALTH_PORT));
});

t.test('the health check asks an endpoint that exists, on the port where it is', async (t) => {
  const command: unknown = JSON.parse(/CMD (\[.*\])$/.exec(only('HEALTHCHECK'))?.[1] ?? '');
  const [node, flag, script] = Array.isArray(command) ? command.map(String) : [];
  t.strictSame([node, flag], ['node', '-e']);
  t.ok(new Script(script ?? ''));
  t.strictSame(urlsIn(script ?? ''), [{ port: DEFAULT_HEALTH_PORT, path: '/livez' }]);
  t.ok(HEALTH_PATHS.includes('/livez'));
});
