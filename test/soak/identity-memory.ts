/** Idle producers over TLS with SCRAM: what they cost the brokers, direct and through the sidecar. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { Fleet } from '../brokers/fleet.ts';
import { directAccess, identityFiles, passageRoute } from '../brokers/identities.ts';
import type { KafkaCluster } from '../brokers/kafka-cluster.ts';
import { percentile } from '../brokers/ledger.ts';
import { contentOf } from '../brokers/mounted-files.ts';
import { waysTested } from '../brokers/setting.ts';
import { Sidecar } from '../brokers/sidecar.ts';
import { type Through, Way } from '../brokers/way.ts';
import { argumentsOf, kindsOf, publish, tell } from './arguments.ts';
import { idleTimes, withBrokers } from './stage.ts';

const values = argumentsOf(
  'identity-memory',
  'Producers send for a while and fall silent; a fresh cluster for each way, since a JVM returns little. Then handshakes ' +
    'with a broker, with and without the resumption of sessions.',
  {
    librdkafka: { value: 50, help: 'librdkafka producers' },
    java: { value: 0, help: 'Java producers' },
    kafkajs: { value: 0, help: 'kafkajs producers' },
    seconds: { value: 10, help: 'how long they send, once a second' },
    'max-idle': { value: 5, help: 'connectionMaxIdleSeconds' },
    dials: { value: 200, help: 'handshakes of each kind' },
  },
);
const { settings, withinSeconds } = idleTimes(values['max-idle'], 1);
const PASSAGE = { mechanism: 'SCRAM-SHA-256', tls: true, name: 'scram' } as const;
/** What a process's times in /proc are counted in. */
const TICKS_PER_SECOND = 100;

interface Cost {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function costOf(cluster: KafkaCluster): Promise<Cost> {
  const each = await Promise.all(cluster.nodes.map((node) => node.memory()));
  return {
    heapBytes: each.reduce((sum, { heapBytes }) => sum + heapBytes, 0),
    residentBytes: each.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
    cpuSeconds: cluster.nodes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
  };
}

async function measure(through: Through) {
  let line: Record<string, number | string> = {};
  await withBrokers({ security: { tls: true, sasl: true } }, async ({ cluster, judge, later }) => {
    const files = identityFiles(cluster, 'alice');
    later(() => files.remove());
    const way = async (): Promise<Way> => {
      if (through === 'direct') return Way.direct(cluster, directAccess(cluster, 'alice', PASSAGE.mechanism, true));
      const sidecar = await Sidecar.start(cluster, settings, { routes: [passageRoute(PASSAGE, 'alice', files)] });
      later(() => sidecar.stop());
      return Way.routed(sidecar);
    };
    const opened = await way();
    const refresh = { metadataRefreshMilliseconds: 30 * 60_000 };
    const fleet = new Fleet({ prefix: through, kinds: kindsOf(values), topics: 'one', ...refresh });
    later(() => fleet.stop());
    await judge.createTopics(fleet.topics, 12);
    const before = await costOf(cluster);
    await fleet.open(opened);
    await fleet.start(values.seconds, 1000);
    const { failures } = await fleet.finish(false);
    const work = await costOf(cluster);
    const connectionsAtWork = opened.total();
    tell(`${through}: ${fleet.size} producers are silent, ${connectionsAtWork} connections`);
    await pause(withinSeconds * 1000);
    const idle = await costOf(cluster);
    line = {
      through,
      failures: failures.length,
      connectionsAtWork,
      connectionsIdle: opened.total(),
      heapAtWork: work.heapBytes - before.heapBytes,
      heapIdle: idle.heapBytes - before.heapBytes,
      residentAtWork: work.residentBytes - before.residentBytes,
      residentIdle: idle.residentBytes - before.residentBytes,
      cpuSeconds: work.cpuSeconds - before.cpuSeconds,
    };
  });
  return line;
}

interface Handshakes {
  /** A broker's network threads; each has session tickets of its own, and the next connection is the next one's. */
  readonly threads: number;
  readonly resumed: boolean;
  readonly count: number;
  readonly reused: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of CPU for each, here and at the broker. */
  readonly clientCpu: number;
  readonly brokerCpu: number;
}

async function handshakesWith(threads: number): Promise<Handshakes[]> {
  const all: Handshakes[] = [];
  const properties = { 'num.network.threads': threads };
  await withBrokers({ brokers: 1, security: { tls: true, sasl: true }, properties }, async ({ cluster }) => {
    const context = createSecureContext({ ca: contentOf(cluster.certificates.authority.caFile) });
    const { dials } = values;
    // Whatever runs for the first time is slower.
    await dialled(cluster, context, threads, false, dials);
    for (const resumed of [false, true]) all.push(await dialled(cluster, context, threads, resumed, dials));
  });
  return all;
}

async function dialled(
  cluster: KafkaCluster,
  secureContext: SecureContext,
  threads: number,
  resumed: boolean,
  count: number,
): Promise<Handshakes> {
  const node = cluster.node(1);
  let session: Buffer | undefined;
  let reused = 0;
  const times: number[] = [];
  const [here, there] = [process.cpuUsage(), cpuSeconds(node.pid)];
  for (let turn = 0; turn < count; turn++) {
    const begun = performance.now();
    const host = '127.0.0.1';
    const socket = connect({
      ...{ host, port: node.port('HIDDEN'), secureContext, servername: 'localhost' },
      ...(resumed && session !== undefined ? { session } : {}),
    });
    const ticket = once(socket, 'session').then(([bytes]: Buffer[]) => {
      session = bytes;
    });
    ticket.catch(() => undefined);
    await once(socket, 'secureConnect');
    const took = performance.now() - begun;
    const again = socket.isSessionReused();
    if (again) reused += 1;
    times.push(took);
    // Tickets of TLS 1.3 follow the handshake, and each is good for once.
    if (resumed) await ticket;
    socket.destroy();
    await once(socket, 'close');
  }
  const { user, system } = process.cpuUsage(here);
  return {
    ...{ threads, resumed, count, reused, p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
    clientCpu: (user + system) / 1000 / count,
    brokerCpu: ((cpuSeconds(node.pid) - there) * 1000) / count,
  };
}

const mib = (bytes: unknown) => `${(Number(bytes) / 1024 / 1024).toFixed(1)} MiB`;
const lines: Awaited<ReturnType<typeof measure>>[] = [];
for (const through of waysTested()) lines.push(await measure(through));
/** One thread takes every ticket of its own; three are the brokers' default. */
const handshakes = [...(await handshakesWith(1)), ...(await handshakesWith(3))];
publish(
  'identity-memory',
  [
    ['', ...lines.map(({ through = '' }) => through)],
    ['connections at work', ...lines.map(({ connectionsAtWork = '' }) => connectionsAtWork)],
    ['connections when silent', ...lines.map(({ connectionsIdle = '' }) => connectionsIdle)],
    ['heap of the brokers at work', ...lines.map(({ heapAtWork }) => mib(heapAtWork))],
    ['heap when silent', ...lines.map(({ heapIdle }) => mib(heapIdle))],
    ['resident at work', ...lines.map(({ residentAtWork }) => mib(residentAtWork))],
    ['resident when silent', ...lines.map(({ residentIdle }) => mib(residentIdle))],
    ['CPU of the brokers until silent', ...lines.map(({ cpuSeconds: seconds }) => `${Number(seconds).toFixed(1)} s`)],
    [
      '',
      ...handshakes.map(
        ({ resumed, threads }) => `${resumed ? 'sessions kept' : 'whole handshake'}, ${threads} threads`,
      ),
    ],
    ['TLS handshake', ...handshakes.map(({ p50, p99 }) => `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`)],
    ['of them reused', ...handshakes.map(({ reused, count }) => `${reused} of ${count}`)],
    ['CPU here', ...handshakes.map(({ clientCpu }) => `${clientCpu.toFixed(2)} ms`)],
    ['CPU at the broker', ...handshakes.map(({ brokerCpu }) => `${brokerCpu.toFixed(2)} ms`)],
  ],
  { ...values, lines, handshakes },
);
