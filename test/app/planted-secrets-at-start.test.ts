/** The same places with something wrong in them at start, and a process that crashes: no error shows a secret. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ask } from '../admin/listeners.ts';
import { invoke } from '../cli/invoke.ts';
import { SidecarProcess } from '../cli/sidecar-process.ts';
import { Outputs } from '../support/planted.ts';
import { Places, routesOf, SERVER } from './places.ts';

t.setTimeout(120_000);

/** Files that can be wrong at start, and what is wrong with them; `S` is what stood in them. */
const WRONG_FILES: readonly (readonly [file: string, spoil: (text: string) => string])[] = [
  ['password', (text) => `${text}\u0000${text}`],
  ['password', () => ''],
  ['token', (text) => `${text} ${text}`],
  ['client-secret', () => ''],
  ['server.key', (text) => text.replace('-----END', '---END')],
  ['server.key', (text) => text.slice(0, -60)],
  ['server.pem', () => SERVER.key],
  ['client.key', (text) => `${SERVER.key}${text}`],
  ['client.key', (text) => text.replace('ENCRYPTED ', '')],
  ['ca.pem', () => SERVER.key],
  ['key-password', (text) => `${text}${text}`],
  ['key-password', (text) => `${text}\n${text}`],
  ['client.p12', () => SERVER.key],
  ['store-password', (text) => `${text}${text}`],
  ['users.yaml', (text) => text.slice(0, -3)],
  ['users.yaml', (text) => text.replaceAll('"password":', '"pasword":')],
  ['users.yaml', (text) => text.replaceAll('"mechanism":"PLAIN"', '"mechanism":["PLAIN"]')],
  ['users.yaml', (text) => text.replaceAll(/"password":("[^"]*(?:\\.[^"]*)*")/g, '"password":[$1]')],
  ['users.yaml', (text) => text.replaceAll(/"password":("[^"]*(?:\\.[^"]*)*")/g, '"password":$1,"password":$1')],
  ['users.yaml', (text) => `${text}\n${text}`],
  ['users.yaml', (text) => `*${text}`],
  ['bob', () => ''],
  ['admin-token', (text) => `${text}${text}`],
  ['admin-token', (text) => text.slice(0, 10)],
];

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

t.test('whatever is wrong with a file at start, the error shows nothing of it', async (t) => {
  const failures: string[] = [];
  const shown: string[] = [];
  for (const [index, [file, spoil]] of WRONG_FILES.entries()) {
    const places = new Places(t);
    const outputs = new Outputs();
    const routes = (await routesOf(t, places)).routes.filter(({ name }) =>
      /^(tls|users|plain|bearer|scram|endpoint)/.test(name),
    );
    const configFile = places.config(routes);
    places.write(file, spoil(readFileSync(places.in(file), 'utf8')));
    outputs.add('check', await invoke('check', '-c', configFile));
    outputs.add('check', await invoke('check', '-c', configFile, '--json'));
    const config = await loadConfig(configFile);
    const started = await startApp(config, { writeLog: (line) => outputs.add('log', line) }).catch(errorOf);
    if (started instanceof Error) {
      failures.push(file);
      outputs.add('error', started);
      outputs.add('error', `${started.message} ${started.stack} ${started.cause}`);
      outputs.add('error', JSON.stringify(started));
    } else await started.stop();
    shown.push(...outputs.showing(places.planted).map((what) => `${index} ${file}: ${what}`));
  }
  t.strictSame(shown, []);
  for (const file of new Set(WRONG_FILES.map(([name]) => name))) t.ok(failures.includes(file), `${file} can be wrong`);
});

t.test('a process that is looked at, told the wrong things and crashes says nothing of a secret', async (t) => {
  const places = new Places(t);
  const outputs = new Outputs();
  const { routes } = await routesOf(t, places);
  const file = places.config(
    routes.filter(({ name }) => !name.startsWith('through')),
    { log: { level: 'trace' } },
  );
  const preload = new URL('../cli/fault-on-signal.ts', import.meta.url).href;
  const sidecar = new SidecarProcess(t, ['run', '-c', file], ['--import', preload]);
  const { admin } = await sidecar.line('started');
  outputs.add('answer', await ask(`${admin}/v1/config`));
  sidecar.child.kill('SIGUSR2');
  const { code, out, err } = await sidecar.ended;
  t.equal(code, 1);
  t.match(out, /"msg":"an error was not handled"/);
  outputs.add('standard output', out);
  outputs.add('standard error', err);
  places.write('client.key', SERVER.key.slice(0, -60));
  const refused = await new SidecarProcess(t, ['run', '-c', file]).ended;
  t.equal(refused.code, 2);
  outputs.add('standard output', refused.out);
  outputs.add('standard error', refused.err);
  t.strictSame(outputs.showing(places.planted), []);
});
