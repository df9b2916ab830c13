/** H26: ten thousand connections that bring rubbish, while a producer works: each ends with its reason, nobody else notices. */
import { randomBytes, randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import t from 'tap';
import type { CloseReason } from '../../src/contract/reasons.ts';
import { muteTimerWarnings } from '../../src/demo/timer-warnings.ts';
import { startCluster } from '../support/embedded-cluster.ts';
import { settledMemory } from '../support/settled-memory.ts';
import { until } from '../support/until.ts';
import { createTopic, TOPIC, valuesOf } from './requests.ts';
import { startSidecar } from './sidecar.ts';

const EACH = 1000;
const AT_ONCE = 40;
const MEBIBYTE = 1_048_576;

t.setTimeout(120_000);
t.teardown(muteTimerWarnings());

interface Kind {
  readonly name: string;
  readonly bytes: () => Buffer;
  /** How the sender goes once it has written; `waits` for the sidecar to close. */
  readonly leaves: 'waits' | 'fin' | 'reset';
  readonly reasons: readonly CloseReason[];
}

const length = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
/** A request as it should be but for its beginning, or cut short. */
const produceHead = Buffer.from([0, 0, 0, 60, 0, 0, 0, 9, 0, 0, 0, 1, 255, 255]);

const KINDS: readonly Kind[] = [
  {
    name: 'a negative length',
    bytes: () => length(-randomInt(1, 2 ** 31)),
    leaves: 'waits',
    reasons: ['protocol_error'],
  },
  { name: 'a length of zero', bytes: () => length(0), leaves: 'waits', reasons: ['protocol_error'] },
  {
    name: 'a tiny length',
    bytes: () => Buffer.concat([length(randomInt(1, 8)), randomBytes(8)]),
    leaves: 'waits',
    reasons: ['protocol_error'],
  },
  { name: 'the largest length', bytes: () => length(2 ** 31 - 1), leaves: 'waits', reasons: ['frame_too_large'] },
  {
    name: 'a length over the limit',
    bytes: () => length(100 * MEBIBYTE + randomInt(1, 1000)),
    leaves: 'waits',
    reasons: ['frame_too_large'],
  },
  {
    name: 'TLS',
    bytes: () => Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), randomBytes(200)]),
    leaves: 'waits',
    reasons: ['tls_on_plaintext'],
  },
  {
    name: 'HTTP',
    bytes: () => Buffer.from('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'),
    leaves: 'waits',
    reasons: ['http_on_kafka'],
  },
  {
    name: 'half a frame, then FIN',
    bytes: () => produceHead.subarray(0, randomInt(1, produceHead.length)),
    leaves: 'fin',
    reasons: ['client_closed'],
  },
  {
    name: 'half a frame, then RST',
    bytes: () => produceHead.subarray(0, randomInt(1, produceHead.length)),
    leaves: 'reset',
    reasons: ['client_reset', 'client_closed'],
  },
  {
    name: 'random bytes, then FIN',
    bytes: () => randomBytes(randomInt(1, 400)),
    leaves: 'fin',
    reasons: [
      'protocol_error',
      'frame_too_large',
      'client_closed',
      'client_reset',
      'refused_api',
      'tls_on_plaintext',
      'http_on_kafka',
      'upstream_lost',
    ],
  },
];

/** Resolves when the connection is gone. */
function bring({ bytes, leaves }: Kind, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      if (leaves === 'fin') socket.end(bytes());
      else socket.write(bytes(), () => leaves === 'reset' && socket.resetAndDestroy());
    });
    socket.resume();
    // A reset is how some of them end.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

t.test('10,000 bad connections disturb nobody, each has its reason, and the memory comes back', async (t) => {
  const cluster = await startCluster(t, { mostRequests: 500 });
  createTopic(cluster);
  const sidecar = await startSidecar(t, cluster);
  const kafka = new Kafka({ clientId: 'js', brokers: sidecar.bootstrap, logLevel: logLevel.NOTHING });
  // No retries: the slightest trouble would show.
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 0 } });
  t.teardown(() => producer.disconnect());
  await producer.connect();
  const sent: string[] = [];
  let isOver = false;
  const traffic = (async () => {
    for (let number = 0; !isOver; number += 1) {
      await producer.send({ topic: TOPIC, acks: -1, messages: [{ value: `${number}`, partition: number % 3 }] });
      sent.push(`${number}`);
      await pause(20);
    }
  })();
  const ports = [sidecar.port(), ...cluster.brokers.map(({ node }) => sidecar.port(node))];
  const storm = async (kind: Kind, count: number): Promise<void> => {
    let left = count;
    const lane = async (index: number): Promise<void> => {
      for (; left > 0; ) {
        left -= 1;
        await bring(kind, ports[(index + left) % ports.length] ?? 0);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => lane(index)));
  };
  for (const kind of KINDS) await storm(kind, 60);
  await until('the warm-up is over', () => sidecar.closes.length === KINDS.length * 60);
  sidecar.events.length = 0;
  const before = await settledMemory();
  for (const kind of KINDS) {
    sidecar.events.length = 0;
    await storm(kind, EACH);
    await until(`all are closed: ${kind.name}`, () => sidecar.closes.length === EACH);
    const counts = Object.fromEntries(
      Map.groupBy(sidecar.closes, (reason) => reason)
        .entries()
        .map(([reason, all]) => [reason, all.length]),
    );
    t.strictSame(
      sidecar.closes.filter((reason) => !kind.reasons.includes(reason)),
      [],
      `${kind.name}: ${JSON.stringify(counts)}`,
    );
    t.strictSame(sidecar.violations, []);
  }
  sidecar.events.length = 0;
  isOver = true;
  await traffic;
  const after = await settledMemory();
  const grown = (after - before) / MEBIBYTE;
  t.ok(grown < 10, `${grown.toFixed(1)} MiB more than before`);
  t.equal(new Set(valuesOf(cluster)).size, sent.length, `${sent.length} messages, none lost`);
  t.equal(valuesOf(cluster).length, sent.length, 'none doubled');
});
