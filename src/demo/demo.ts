/** The story that `npm start` tells: twelve producers, three brokers, and what the sidecar between them changes. */
import { setTimeout as pause } from 'node:timers/promises';
import { startApp } from '../app.ts';
import { parseConfig } from '../config/load.ts';
import { Application } from './application.ts';
import { freePorts } from './free-ports.ts';
import { EmbeddedCluster } from './kafka/embedded-cluster.ts';
import { readBack } from './read-back.ts';
import { Story } from './story.ts';

const PRODUCERS = 12;
const TOPIC = 'orders';
const MESSAGES_AT_WORK = 5;
const EVERY_MILLISECONDS = 400;
const MAX_IDLE_SECONDS = 2;
const INTERVAL_SECONDS = 1;
/** DESIGN's latest moment, the linger of housekeeping and a second for a slow machine. */
const ASLEEP_WITHIN_MILLISECONDS = (MAX_IDLE_SECONDS + INTERVAL_SECONDS + 0.1 + 1 + 2) * 1000;
const PREFERRED_ADMIN_PORT = 9901;
/** Bootstrap, health, and a port for each of three brokers behind the base. */
const PORTS = 6;

export interface DemoOptions {
  /** End by itself, with 0 only if every claim held. */
  readonly once: boolean;
  readonly write: (line: string) => void;
}

/** @returns the exit code */
export async function runDemo({ once, write }: DemoOptions): Promise<number> {
  const story = new Story(write);
  const cluster = await EmbeddedCluster.start({ brokers: 3, autoCreateTopics: false });
  try {
    cluster.createTopic(TOPIC, { partitions: 6 });
    story.title('Twelve producers, three brokers, one quiet night');
    const direct = await countDirect(cluster, story);
    return await tellTheRest(cluster, story, direct, once);
  } finally {
    await cluster.stop();
  }
}

/** What the same producers hold without a sidecar. */
async function countDirect(cluster: EmbeddedCluster, story: Story): Promise<number> {
  story.say('First without a sidecar: each producer talks to the brokers itself.');
  const application = await Application.connect(cluster.bootstrap, TOPIC, 'direct', PRODUCERS);
  await application.send(2, EVERY_MILLISECONDS);
  const connections = cluster.tally.open;
  story.figure('broker connections, direct', connections);
  await application.disconnect();
  return connections;
}

async function tellTheRest(cluster: EmbeddedCluster, story: Story, direct: number, once: boolean): Promise<number> {
  const { base, admin } = await freePorts(PORTS, PREFERRED_ADMIN_PORT);
  const app = await startApp(parseConfig(configuration(cluster.bootstrap, base, admin), 'demo.yaml'), {
    writeLog: () => undefined,
  });
  const bootstrap = [`127.0.0.1:${base}`];
  const application = await Application.connect(bootstrap, TOPIC, 'shared', PRODUCERS);
  try {
    story.say('Now the same twelve through Slackwater. They send a message now and then.');
    await application.send(MESSAGES_AT_WORK, EVERY_MILLISECONDS);
    const shared = cluster.tally.open;
    story.figure('broker connections, shared', shared);
    story.claim(shared < direct, `fewer than the ${direct} that they hold directly`);

    story.say(`They fall silent. After ${MAX_IDLE_SECONDS} s without work connections may go.`);
    const asleepAfter = await waitFor(() => cluster.tally.open === 0, ASLEEP_WITHIN_MILLISECONDS);
    story.figure('broker connections, asleep', cluster.tally.open);
    story.claim(asleepAfter !== null, 'no connection is left at any broker');
    const before = cluster.bytesIn + cluster.bytesOut;
    await pause(1000);
    story.claim(cluster.bytesIn + cluster.bytesOut === before, 'and for a second not one byte passed');
    story.claim(application.disconnects === 0, 'no producer noticed: all of their sockets are still open');

    story.say('They wake up and send again, all at once.');
    const woken = performance.now();
    await application.send(1, 0);
    story.figure('milliseconds until all were acknowledged', Math.round(performance.now() - woken));
    await application.send(MESSAGES_AT_WORK - 1, EVERY_MILLISECONDS);
    const result = readBack(cluster.messages(TOPIC), application.sent);
    story.figure('messages sent', result.sent);
    story.figure('messages received', result.received);
    story.claim(result.lost === 0, 'none lost');
    story.claim(result.doubled === 0, 'none doubled');
    story.claim(result.disordered === 0, "and each producer's in the order in which they were sent");
    story.claim(application.disconnects === 0, 'no producer was disconnected');
    story.conclude();
    if (!once) await stayUp(story, app.adminUrl ?? '', bootstrap);
    return story.held ? 0 : 1;
  } finally {
    await application.disconnect();
    await app.stop();
  }
}

function configuration(brokers: readonly string[], base: number, admin: number): string {
  return JSON.stringify({
    routes: [
      {
        name: 'demo',
        protocol: 'kafka',
        listen: `127.0.0.1:${base}`,
        upstream: { bootstrap: brokers },
        brokers: { portBase: base + 1 },
      },
    ],
    connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
    connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
    allowShortIdle: true,
    admin: { listen: `127.0.0.1:${admin}` },
    health: { listen: `127.0.0.1:${base + 1}` },
  });
}

/** Milliseconds until it was so; null if it never was. */
async function waitFor(condition: () => boolean, milliseconds: number): Promise<number | null> {
  const start = performance.now();
  while (performance.now() - start < milliseconds) {
    if (condition()) return performance.now() - start;
    await pause(50);
  }
  return condition() ? milliseconds : null;
}

/** Until the reader has seen enough. */
async function stayUp(story: Story, adminUrl: string, bootstrap: readonly string[]): Promise<void> {
  story.say(`It stays up. Point a Kafka client at ${bootstrap.join(',')} (topic ${TOPIC}), and look with:`);
  for (const command of ['status', 'upstreams', 'clients'])
    story.say(`  npm exec slackwater -- ${command} --admin ${adminUrl}`);
  story.say('Ctrl-C ends it.');
  const keepAlive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  clearInterval(keepAlive);
}
