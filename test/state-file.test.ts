import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Topology } from '../src/contract/topology.ts';
import { StateFile } from '../src/state-file.ts';
import { ManualClock } from './support/manual-clock.ts';
import { temporaryFolder } from './support/mounted-folder.ts';

const clusterOf = (...ports: number[]): Topology => ({
  clusterId: 'c1',
  nodes: ports.map((port, index) => ({ node: String(index), host: 'broker', port })),
  complete: true,
});

function stateFile(t: Test, path = join(temporaryFolder(t), 'orders.json')) {
  const clock = new ManualClock();
  const problems: string[] = [];
  const file = new StateFile(path, clock, (problem) => problems.push(problem));
  return { file, clock, problems, path, text: () => readFileSync(path, 'utf8') };
}

t.test('the last map of a cluster is there again after a restart', async (t) => {
  const { file, path, problems } = stateFile(t);
  t.equal(await file.read(), undefined, 'at the first start there is none, which is no problem');
  file.remember(clusterOf(9092, 9093));
  await file.close();
  const later = stateFile(t, path);
  t.strictSame(await later.file.read(), { ...clusterOf(9092, 9093), complete: false });
  t.strictSame([...problems, ...later.problems], []);
  t.strictSame(readdirSync(join(path, '..')), ['orders.json'], 'nothing else is left');
});

t.test('brokers that are known by their address are there again, whatever that is', async (t) => {
  const { file, path } = stateFile(t);
  const nodes = [
    { node: '[fd00::1]:6650', host: 'fd00::1', port: 6650 },
    { node: '[fe80::1%eth0]:6650', host: 'fe80::1%eth0', port: 6650 },
    { node: 'broker-1.example:6650', host: 'proxy', port: 6651 },
  ];
  file.remember({ clusterId: null, nodes, complete: true });
  await file.close();
  t.match(await stateFile(t, path).file.read(), { nodes });
});

t.test('changes are written at most once a second, and nothing is written if nothing has changed', async (t) => {
  const { file, clock, path, text } = stateFile(t);
  file.remember(clusterOf(1));
  file.remember(clusterOf(2));
  t.equal(clock.timers, 1);
  t.throws(text, 'not at once');
  clock.advance(1000);
  await file.close();
  t.match(text(), /"port": 2/);
  t.notMatch(text(), /"port": 1/);
  rmSync(path);
  file.remember({ ...clusterOf(2), complete: false });
  t.equal(clock.timers, 0);
  await file.close();
  t.throws(text, 'it was not written again');
});

t.test('the order in which brokers are named makes no difference', async (t) => {
  const { file, clock } = stateFile(t);
  const cluster = clusterOf(1, 2, 3);
  file.remember(cluster);
  clock.advance(1000);
  await file.close();
  file.remember({ ...cluster, nodes: [...cluster.nodes].reverse() });
  t.equal(clock.timers, 0);
});

t.test('what makes no sense is told and passed over', async (t) => {
  const node = { node: '1', host: 'broker', port: 9092 };
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /it is no JSON$/],
    ['{"clusterId": "c", "nodes"', /it is no JSON$/],
    ['[]', /it is no map of a cluster$/],
    ['{"nodes": []}', /it has no clusterId$/],
    ['{"clusterId": "c"}', /it has no nodes$/],
    [JSON.stringify({ clusterId: 'c', nodes: [{ ...node, port: 0 }] }), /node 1 has no port$/],
    [JSON.stringify({ clusterId: 'c', nodes: [{ ...node, host: 'a b' }] }), /node 1 has no host$/],
    [JSON.stringify({ clusterId: 'c', nodes: [{ ...node, node: 1 }] }), /a node has no name$/],
    [' '.repeat(1_048_577), /larger than 1048576 bytes$/],
  ];
  for (const [text, words] of cases) {
    const { file, path, problems } = stateFile(t);
    writeFileSync(path, text);
    t.equal(await file.read(), undefined);
    t.match(problems, [words]);
    t.match(problems[0], path);
    file.remember(clusterOf(9092));
    await file.close();
    t.match(await stateFile(t, path).file.read(), { clusterId: 'c1' }, 'and replaced by the next map');
  }
});

t.test('a file that cannot be written is told once and tried again after a minute', async (t) => {
  const folder = temporaryFolder(t);
  const { file, clock, problems, text } = stateFile(t, join(folder, 'missing', 'orders.json'));
  file.remember(clusterOf(1));
  clock.advance(1000);
  await file.close();
  file.remember(clusterOf(2));
  clock.advance(1000);
  await file.close();
  t.strictSame(problems, [`${join(folder, 'missing', 'orders.json')} cannot be written: ENOENT`]);
  mkdirSync(join(folder, 'missing'));
  file.remember(clusterOf(2));
  await file.close();
  t.match(text(), /"port": 2/);
});
