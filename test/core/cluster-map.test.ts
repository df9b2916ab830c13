import t from 'tap';
import type { BrokerNode, Topology } from '../../src/contract/topology.ts';
import { ClusterMap } from '../../src/core/cluster-map.ts';

const REMOVE_AFTER_SECONDS = 300;

function node(name: string, host = `broker-${name}`, port = 9092): BrokerNode {
  return { node: name, host, port };
}
function topology(nodes: readonly BrokerNode[], complete = true): Topology {
  return { clusterId: 'lake', nodes, complete };
}

/** Answers with the second of their arrival; what each changed. */
type History = readonly (readonly [second: number, answer: Topology, changes: readonly string[]])[];

const HISTORIES: Readonly<Record<string, History>> = {
  'the first answer adds what it names': [[0, topology([node('1'), node('2')]), ['added 1', 'added 2']]],
  'the same answer again changes nothing': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([node('1')]), []],
  ],
  'a broker with another host has moved': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([node('1', 'elsewhere')]), ['moved 1']],
    [2, topology([node('1', 'elsewhere')]), []],
  ],
  'a broker with another port has moved': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([node('1', 'broker-1', 9093)]), ['moved 1']],
  ],
  'an answer that does not name all adds a broker': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([node('2')], false), ['added 2']],
  ],
  'an answer that does not name all moves no broker': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([node('1', 'elsewhere')], false), []],
  ],
  'unless it says where that is dialled from now on': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [1, { ...topology([node('1', 'elsewhere')], false), moves: true }, ['moved 1']],
    [2, topology([node('1', 'elsewhere')], false), []],
  ],
  'an answer that does not name all removes no broker': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [1, topology([node('1')]), []],
    [400, topology([node('1')], false), []],
  ],
  'a broker is removed by two answers without it that are far enough apart': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [100, topology([node('1')]), []],
    [399.9, topology([node('1')]), []],
    [400, topology([node('1')]), ['removed 2']],
    [401, topology([node('1')]), []],
  ],
  'an answer that names it begins anew as well if it does not name all': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [100, topology([node('1')]), []],
    [300, topology([node('2')], false), []],
    [401, topology([node('1')]), []],
    [701, topology([node('1')]), ['removed 2']],
  ],
  'time without answers does not count': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [5000, topology([node('1')]), []],
    [5001, topology([node('1')]), []],
  ],
  'one answer that names it between those without it begins anew': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [100, topology([node('1')]), []],
    [300, topology([node('1'), node('2')]), []],
    [400, topology([node('1')]), []],
    [699, topology([node('1')]), []],
    [700, topology([node('1')]), ['removed 2']],
  ],
  'a broker that comes back after its removal is added': [
    [0, topology([node('1'), node('2')]), ['added 1', 'added 2']],
    [1, topology([node('1')]), []],
    [301, topology([node('1')]), ['removed 2']],
    [302, topology([node('1'), node('2')]), ['added 2']],
  ],
  'an answer without any broker removes all only after the time': [
    [0, topology([node('1')]), ['added 1']],
    [1, topology([]), []],
    [301, topology([]), ['removed 1']],
  ],
};

for (const [name, history] of Object.entries(HISTORIES)) {
  t.test(name, async (t) => {
    const map = new ClusterMap(REMOVE_AFTER_SECONDS);
    for (const [second, answer, expected] of history) {
      const changes = map.apply(answer, second * 1000).map(({ kind, node: changed }) => `${kind} ${changed.node}`);
      t.strictSame(changes, expected, `second ${second}`);
    }
  });
}

t.test('the topology counts as learnt once an answer named all brokers', async (t) => {
  const map = new ClusterMap(REMOVE_AFTER_SECONDS);
  t.notOk(map.learnt);
  map.apply(topology([node('1')], false), 0);
  t.notOk(map.learnt);
  t.equal(map.clusterId, null);
  map.apply(topology([node('1')]), 1);
  t.ok(map.learnt);
  t.equal(map.clusterId, 'lake');
});

t.test('a broker is found where it is now', async (t) => {
  const map = new ClusterMap(REMOVE_AFTER_SECONDS);
  map.apply(topology([node('1')]), 0);
  map.apply(topology([node('1', 'elsewhere')]), 1);
  t.strictSame(map.find('1'), node('1', 'elsewhere'));
  t.strictSame(map.nodes, [node('1', 'elsewhere')]);
  t.equal(map.find('2'), undefined);
});
