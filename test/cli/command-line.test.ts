import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import t from 'tap';
import { COMMANDS } from '../../src/cli/command-line.ts';
import { invoke } from './invoke.ts';

t.test('without arguments it shows the help, as a fault of usage', async (t) => {
  const { code, out, err } = await invoke();
  t.equal(code, 2);
  t.equal(out, '');
  t.match(err, /slackwater <command>/);
});

t.test('help is an answer, lists every command and where to begin', async (t) => {
  const { code, out, err } = await invoke('--help');
  t.equal(code, 0);
  t.equal(err, '');
  for (const { name, summary, hidden } of COMMANDS) {
    if (hidden) t.notMatch(out, `slackwater ${name} `);
    else t.match(out.replaceAll(/\s+/g, ' '), `slackwater ${name} ${summary}`);
  }
  t.match(out, /slackwater demo.*without a broker/);
});

t.test('the help of every command has its options, an example and what one should know', async (t) => {
  for (const { name, options, hidden } of COMMANDS) {
    const { code, out } = await invoke(name, '--help');
    t.equal(code, 0, name);
    for (const option of Object.keys(options)) t.match(out, `--${option}`, `${name} --${option}`);
    if (!hidden) t.match(out, /Examples:\n {2}slackwater \w+/, name);
    t.match(out, /[.:,]/, name);
  }
});

t.test('what is wrong with a command line is one line and exit code 2', async (t) => {
  const cases: [string[], RegExp][] = [
    [['frobnicate'], /Unknown command: frobnicate/],
    [['statsu'], /Did you mean status\?/],
    [['status', '--foo'], /Unknown argument: foo/],
    [['status', 'extra'], /Unknown command: extra/],
    [['check'], /Missing required argument: config/],
    [['check', '-c'], /Not enough arguments following: c/],
    [['upstreams', '--limit'], /Not enough arguments following: limit/],
    [['reap', '--older-than', 'soon'], /--older-than must be a number of seconds/],
    [['reap', '--older-than', '-1'], /--older-than must be a number of seconds/],
    [['reap', '--dry-run=maybe'], /--dry-run takes no value/],
    [['status', '--admin', 'ftp://x'], /--admin must be an address such as http:\/\/127\.0\.0\.1:9901/],
    [['status', '--admin', 'http://'], /--admin must be an address/],
    [['start', '--once', '-c', 'x.yaml'], /--once belongs to the demo/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await invoke(...args);
    t.equal(code, 2, args.join(' '));
    t.equal(out, '', args.join(' '));
    t.match(err, message, args.join(' '));
    t.equal(err.split('\n').length, 1, args.join(' '));
  }
});

t.test('--version is the version of the package', async (t) => {
  const { code, out } = await invoke('--version');
  t.equal(code, 0);
  t.match(out, /^\d+\.\d+\.\d+/);
});

t.test('a sidecar that is not there is one clear line and exit code 1, for every command that asks one', async (t) => {
  const port = await freePort();
  for (const command of ['status', 'upstreams', 'clients', 'reap']) {
    const { code, out, err } = await invoke(command, '--admin', `127.0.0.1:${port}`);
    t.equal(code, 1, command);
    t.equal(out, '', command);
    const wanted = `slackwater: no sidecar answers at http://127.0.0.1:${port} (ECONNREFUSED): start one with`;
    t.ok(err.startsWith(wanted), `${command}: ${err}`);
    t.equal(err.split('\n').length, 1, command);
  }
});

t.test('something else at the admin address is told as such', async (t) => {
  const server = createServer((_request, response) => response.end('<html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { code, err } = await invoke('status', '--admin', `http://127.0.0.1:${port}`);
  t.equal(code, 1);
  t.match(err, /not the admin listener of a sidecar: set --admin/);
});

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
