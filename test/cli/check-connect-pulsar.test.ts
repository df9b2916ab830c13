import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../support/mounted-folder.ts';
import { startCluster } from '../support/pulsar/sockets.ts';
import { invoke } from './invoke.ts';

/** What `check --connect` says about one route, whose upstream has these keys besides. */
async function check(t: Test, port: number, keys: object, ...options: readonly string[]) {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'right'), 'planted-right');
  writeFileSync(join(folder, 'wrong'), 'planted-wrong');
  const upstream = { bootstrap: [`pulsar://127.0.0.1:${port}`], ...keys };
  const routes = [{ name: 'events', protocol: 'pulsar', listen: '127.0.0.1:1000', upstream }];
  writeFileSync(join(folder, 'checked.yaml'), JSON.stringify({ routes }));
  return await invoke('check', '-c', join(folder, 'checked.yaml'), '--connect', ...options);
}

const token = (tokenFile: string) => ({ auth: { method: 'token', tokenFile } });

t.test('a broker that the sidecar authenticates to is described', async (t) => {
  const { cluster, ports } = await startCluster(t, 1, { credentials: new Set(['planted-right']) });
  const { code, out } = await check(t, ports[0]?.port ?? 0, token('right'));
  t.equal(code, 0);
  t.match(out, `connections of route events\n  127.0.0.1:${ports[0]?.port}  ok after `);
  t.match(out, /auth {5}accepted \(token\)/);
  t.match(out, /serves {3}.+, protocol 21, messages up to 5242880 bytes/);
  t.notMatch(out, 'asked');
  t.notMatch(out, 'planted');
  t.equal(cluster.open, 0, 'no connection is left');
});

t.test('a broker that does not take the credential is told with cause and remedy', async (t) => {
  const { ports } = await startCluster(t, 1, { credentials: new Set(['planted-right']) });
  const { code, out } = await check(t, ports[0]?.port ?? 0, token('wrong'));
  t.equal(code, 1);
  t.match(out, /because {2}authentication_failed/);
  t.match(out, /do {7}.*upstream\.auth/);
  t.notMatch(out, 'planted');
});

t.test('where clients show what is their own, brokers are reached and asked nothing', async (t) => {
  const { cluster, ports } = await startCluster(t, 1, { credentials: new Set(['planted-right']) });
  const { code, out } = await check(t, ports[0]?.port ?? 0, {});
  t.equal(code, 0);
  t.match(out, /ok after/);
  t.match(out, 'asked    nothing: what clients show is passed on');
  t.strictSame(
    cluster.broker().connections.flatMap(({ frames }) => frames),
    [],
  );
  const json = JSON.parse((await check(t, ports[0]?.port ?? 0, {}, '--json')).out) as object;
  t.match(json, {
    ok: true,
    connections: [{ protocol: 'pulsar', authenticates: false, addresses: [{ broker: null }] }],
  });
});
