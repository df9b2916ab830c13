import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import t from 'tap';
import { invoke } from './invoke.ts';
import { configFile, SidecarProcess } from './sidecar-process.ts';

const SECURED = "{ bootstrap: ['127.0.0.1:1'], tls: { caFile: ca.pem } }";

t.test('a sidecar runs without any broker, is alive and not ready, and can be looked at', async (t) => {
  const sidecar = new SidecarProcess(t, ['run', '-c', configFile(t)]);
  const { admin, health } = await sidecar.line('started');
  t.equal((await fetch(`${health}/livez`)).status, 200);
  t.equal((await fetch(`${health}/startupz`)).status, 503);
  const ready = await fetch(`${health}/readyz`);
  t.equal(ready.status, 503);
  t.match(await ready.json(), {
    ok: false,
    why: [/route orders: no broker has answered yet \(127\.0\.0\.1:1(, last refused)?\)/],
  });
  const status = await invoke('status', '--admin', String(admin));
  t.match(status, { code: 0, out: /starting[\s\S]*route orders \(kafka\)[\s\S]*no broker has answered yet/ });
  sidecar.child.kill('SIGTERM');
  const { code, out, err } = await sidecar.ended;
  t.equal(code, 0);
  t.equal(err, '');
  const sentences = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  t.strictSame(sentences.slice(-2), ['shutting down', 'stopped'], 'nothing that was logged is lost, and in order');
});

t.test('the running sidecar loads neither yargs nor the demo nor what only they need', async (t) => {
  const preload = new URL('./loaded-modules.ts', import.meta.url).href;
  const sidecar = new SidecarProcess(t, ['run', '-c', configFile(t)], ['--import', preload]);
  await sidecar.line('started');
  sidecar.child.kill('SIGTERM');
  const { code, err } = await sidecar.ended;
  t.equal(code, 0);
  t.match(err, /loaded \S+\/src\/app\.ts/, 'the list is complete');
  const unwanted = err
    .split('\n')
    .filter((line) => /node_modules\/(yargs|kafkajs|undici|cliui)\/|\/src\/demo\//.test(line));
  t.strictSame(unwanted, []);
  const ours = err.split('\n').filter((line) => line.includes('/src/cli/'));
  t.strictSame(ours.map((line) => line.replace(/.*\/src\/cli\//, '')).sort(), ['exit-codes.ts', 'run.ts']);
});

t.test(
  'while clients are there SIGTERM waits for them; a second signal ends at once, with the code of the signal',
  async (t) => {
    // A broker that accepts and says nothing: one that refused would close the listener for clients, too.
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.teardown(() => silent.close());
    const bootstrap = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const file = configFile(t, { bootstrap, more: 'log: { level: debug }' });
    const sidecar = new SidecarProcess(t, ['run', '-c', file]);
    const { admin, health } = await sidecar.line('started');
    const { routes } = (await (await fetch(`${admin}/v1/routes`)).json()) as { routes: { listen: string }[] };
    const [host, port] = (routes[0]?.listen ?? '').split(':');
    const client = connect(Number(port), host);
    t.teardown(() => client.destroy());
    const { remote } = await sidecar.line('a client connected');
    t.equal(remote, `127.0.0.1:${client.localPort}`);
    sidecar.child.kill('SIGTERM');
    await sidecar.line('shutting down');
    t.equal((await fetch(`${health}/readyz`)).status, 503);
    t.equal((await fetch(`${health}/livez`)).status, 200);
    sidecar.child.kill('SIGTERM');
    const { code } = await sidecar.ended;
    t.equal(code, 143);
  },
);

t.test('an address that is taken is one line that names the key, and exit code 2', async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const sidecar = new SidecarProcess(t, ['run', '-c', configFile(t, { admin: `127.0.0.1:${port}` })]);
  const { code, err } = await sidecar.ended;
  t.equal(code, 2);
  t.match(err, new RegExp(`^admin\\.listen: 127\\.0\\.0\\.1:${port} cannot be bound: .*EADDRINUSE.*\n$`));
});

t.test('faults of the configuration are one line each with file, line, column and key, and exit code 2', async (t) => {
  const file = configFile(t, { more: 'conectionMaxIdleSeconds: 180\nmaxClients: -1\n' });
  const sidecar = new SidecarProcess(t, ['run', '-c', file]);
  const { code, out, err } = await sidecar.ended;
  t.equal(code, 2);
  t.equal(out, '');
  const lines = err.trim().split('\n');
  t.equal(lines.length, 2);
  t.ok(lines[0]?.startsWith(`${file}:9:1 conectionMaxIdleSeconds: `));
  t.match(lines[0], /connectionMaxIdleSeconds/);
  t.ok(lines[1]?.startsWith(`${file}:10:13 maxClients: `));
  t.match(await invoke('check', '-c', file), { code: 2, out: '', err: lines.join('\n') }, 'check says the same');
  const json = await invoke('check', '-c', file, '--json');
  t.match(json, { code: 2, err: '' });
  t.match(JSON.parse(json.out), { ok: false, faults: [{ line: 9, column: 1 }, { line: 10 }] });
});

t.test('check explains a configuration, schema prints its JSON Schema', async (t) => {
  const check = await invoke('check', '-c', configFile(t));
  t.match(check, { code: 0, out: /route orders \(kafka\)[\s\S]*node N on 127\.0\.0\.1:\(39092 \+ N\)/ });
  const json = JSON.parse((await invoke('check', '-c', configFile(t), '--json')).out);
  t.match(json, { ok: true, routes: [{ name: 'orders' }], warnings: Array });
  const schema = JSON.parse((await invoke('schema')).out);
  t.match(schema, { $schema: /json-schema/, properties: { routes: { type: 'array' } } });
});

t.test('a file of a route that is of no use is one line that names key and file, and exit code 2', async (t) => {
  const file = configFile(t);
  const route = readFileSync(file, 'utf8').replace("{ bootstrap: ['127.0.0.1:1'] }", SECURED);
  writeFileSync(file, route);
  const { code, out, err } = await new SidecarProcess(t, ['run', '-c', file]).ended;
  t.equal(code, 2);
  t.equal(out, '');
  t.equal(err, `routes[0].upstream.tls.caFile: ${join(dirname(file), 'ca.pem')} does not exist\n`);
});

t.test('run in its other spellings is the same command', async (t) => {
  const sidecar = new SidecarProcess(t, ['run', `--config=${configFile(t)}`]);
  await sidecar.line('started');
  sidecar.child.kill('SIGINT');
  t.equal((await sidecar.ended).code, 0);
});

t.test('an error that nobody expected is one log line, and exit code 1', async (t) => {
  const preload = new URL('./fault-on-signal.ts', import.meta.url).href;
  const sidecar = new SidecarProcess(t, ['run', '-c', configFile(t)], ['--import', preload]);
  await sidecar.line('started');
  sidecar.child.kill('SIGUSR2');
  const { code, out, err } = await sidecar.ended;
  t.equal(code, 1);
  t.equal(err, '');
  const fatal = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level === 'fatal');
  t.equal(fatal.length, 1);
  t.match(fatal[0], {
    level: 'fatal',
    msg: 'an error was not handled',
    err: { message: 'a fault of ours', stack: /at / },
  });
});
