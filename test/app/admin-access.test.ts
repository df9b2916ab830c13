/** From the configuration to the command line: a sidecar that listens beyond loopback, with its token and certificate. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { invoke } from '../cli/invoke.ts';
import { SidecarProcess } from '../cli/sidecar-process.ts';
import { authority, certify } from '../support/certificates.ts';

const CA = authority();
const SERVER = certify({ name: 'sidecar', by: CA, hosts: ['127.0.0.1'] });
const TOKEN = 'correct-horse-battery';

function files(t: Test, admin: object): string {
  const keys = {
    routes: [{ name: 'orders', protocol: 'tcp', listen: '127.0.0.1:0', upstream: { bootstrap: ['127.0.0.1:1'] } }],
    admin,
    health: { listen: '127.0.0.1:0' },
  };
  return t.testdir({
    'slackwater.yaml': JSON.stringify(keys),
    token: `${TOKEN}\n`,
    'ca.pem': CA.certificate,
    'server.pem': SERVER.certificate,
    'server.key': SERVER.key,
  });
}

t.test('it is asked over TLS and with the token, and with nothing less', async (t) => {
  const tls = { certificateFile: 'server.pem', keyFile: 'server.key' };
  const folder = files(t, { listen: '0.0.0.0:0', tokenFile: 'token', tls });
  const lines: string[] = [];
  const app = await startApp(await loadConfig(join(folder, 'slackwater.yaml')), {
    writeLog: (line) => lines.push(line),
  });
  t.teardown(() => app.stop());
  t.match(app.adminUrl, /^https:\/\/127\.0\.0\.1:\d+$/);
  const ca = ['--admin-ca-file', join(folder, 'ca.pem')];
  const token = ['--admin-token-file', join(folder, 'token')];
  const status = (...args: string[]) => invoke('status', '--admin', `${app.adminUrl}`, ...args);
  t.match(await status(...ca, ...token), { code: 0, out: /route orders/ });
  t.match(await status(...ca), { code: 1, err: /asks for its admin token/ });
  t.match(await status(...token), { code: 1, err: /is not trusted/ });
  writeFileSync(join(folder, 'token'), 'another-token-altogether');
  t.match(await status(...ca, ...token), { code: 0 }, 'both ends read the new one');
  t.ok(lines.some((line) => line.includes('the admin token was read anew')));
  t.equal((await fetch(`${app.healthUrl}/livez`)).status, 200, 'probes need nothing');
});

t.test('beyond loopback without TLS every start says that the token can be read', async (t) => {
  const folder = files(t, { listen: '0.0.0.0:0', tokenFile: 'token' });
  const lines: string[] = [];
  const app = await startApp(await loadConfig(join(folder, 'slackwater.yaml')), {
    writeLog: (line) => lines.push(line),
  });
  t.teardown(() => app.stop());
  t.equal(lines.filter((line) => line.includes('plaintext') && line.includes('admin')).length, 1);
});

t.test('beyond loopback without a token, or with a bad one, it ends with exit code 2 and one line', async (t) => {
  const run = async (admin: object, change: (folder: string) => void = () => undefined) => {
    const folder = files(t, admin);
    change(folder);
    return await new SidecarProcess(t, ['run', '-c', join(folder, 'slackwater.yaml')]).ended;
  };
  const without = await run({ listen: '0.0.0.0:0' });
  t.match(without, {
    code: 2,
    out: '',
    err: /admin\.listen: whoever reaches 0\.0\.0\.0 .*set admin\.tokenFile[^\n]*\n$/,
  });
  const short = await run({ listen: '0.0.0.0:0', tokenFile: 'token' }, (folder) =>
    writeFileSync(join(folder, 'token'), 'short-secret'),
  );
  t.match(short, { code: 2, err: /^admin\.tokenFile: \S+token must hold a token of at least 16 characters\n$/ });
  t.notMatch(short.err + short.out, 'short-secret');
});
