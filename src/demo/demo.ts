/** The story that `npm start` tells: twelve producers, three brokers, and what the sidecar between them changes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { App } from '../app.ts';
import { Application } from './application.ts';
import { EmbeddedCluster } from './kafka/embedded-cluster.ts';
import { readBack } from './read-back.ts';
import { INTERVAL_SECONDS, MAX_IDLE_SECONDS, type Sidecar, startSidecar } from './sidecar.ts';
import { Story } from './story.ts';
import { muteTimerWarnings } from './timer-warnings.ts';

const PRODUCERS = 12;
const TOPIC = 'orders';
const PARTITIONS = 6;
const ROUNDS = 6;
const EVERY_MILLISECONDS = 350;
/** Idle time, interval and its spread, the linger of housekeeping, and 2 s for a slow machine. */
const ASLEEP_WITHIN_MILLISECONDS = (MAX_IDLE_SECONDS + INTERVAL_SECONDS * 1.1 + 1 + 2) * 1000;
const LOOK_EVERY_MILLISECONDS = 20;
const SILENCE_MILLISECONDS = 1000;

export interface DemoOptions {
  /** End by itself. Otherwise it stays up for the reader until SIGINT or SIGTERM. */
  readonly once: boolean;
  readonly write: (line: string) => void;
}

/** @returns the exit code: 0 if every claim held, else 1 */
export async function runDemo({ once, write }: DemoOptions): Promise<number> {
  const story = new Story(write);
  const unmute = muteTimerWarnings();
  const cluster = await EmbeddedCluster.start({ brokers: 3, autoCreateTopics: false });
  try {
    cluster.createTopic(TOPIC, { partitions: PARTITIONS });
    story.title('Slackwater: twelve producers, three brokers, and what a quiet hour costs');
    const direct = await countDirect(cluster, story);
    const sidecar = await startSidecar(cluster.bootstrap);
    try {
      await tellTheRest(cluster, sidecar, story, direct);
      if (!once) await stayUp(sidecar, story);
    } finally {
      await sidecar.app.stop();
    }
    return story.held ? 0 : 1;
  } finally {
    await cluster.stop();
    unmute();
  }
}

function application(bootstrap: readonly string[], prefix: string): Promise<Application> {
  return Application.connect({ bootstrap, topic: TOPIC, partitions: PARTITIONS, producers: PRODUCERS, prefix });
}

/** What the producers hold without a sidecar. */
async function countDirect(cluster: EmbeddedCluster, story: Story): Promise<number> {
  story.say('Without a sidecar: every producer talks to the brokers itself.');
  const producers = await application(cluster.bootstrap, 'direct');
  await producers.sendRounds(PARTITIONS, 100);
  const connections = cluster.tally.open;
  story.figure('broker connections, direct', `${connections}  (${byBroker(cluster)})`);
  story.add('They stay for as long as the producers live, whether they send or not.');
  await producers.disconnect();
  return connections;
}

async function tellTheRest(cluster: EmbeddedCluster, { app, bootstrap }: Sidecar, story: Story, direct: number) {
  story.say(`The same twelve through Slackwater, at ${bootstrap}.`);
  await waitFor(() => cluster.tally.open === 0, ASLEEP_WITHIN_MILLISECONDS);
  const producers = await application([bootstrap], 'shared');
  try {
    cluster.tally.resetPeak();
    await producers.sendRounds(ROUNDS, EVERY_MILLISECONDS);
    const shared = cluster.tally.peak;
    const sockets = openSockets(app);
    story.figure("the producers' connections, to Slackwater", sockets.size);
    story.figure('broker connections, shared, at most', `${shared}  (now ${byBroker(cluster)})`);
    story.claim(shared < direct, `fewer than the ${direct} that they held directly`);

    await fallSilent(cluster, story);
    story.claim([...openSockets(app)].length >= sockets.size, 'the producers do not know: their connections are open');

    story.say('They wake up and send again, all at once.');
    const start = performance.now();
    const first = await producers.send();
    story.figure('the first message acknowledged after', `${Math.ceil(first)} ms`);
    story.figure('all twelve after', `${Math.ceil(performance.now() - start)} ms`);
    await producers.sendRounds(ROUNDS - 1, EVERY_MILLISECONDS);
    story.figure('broker connections, awake again', `${cluster.tally.open}  (${byBroker(cluster)})`);
    const survivors = openSockets(app);
    story.claim(
      [...sockets].every((id) => survivors.has(id)),
      'over the very connections that they had before',
    );

    const { sent, received, lost, doubled, disordered } = readBack(cluster.messages(TOPIC), producers.sent);
    story.say("What the brokers' own logs say of all that:");
    story.figure('messages sent', sent);
    story.figure('received', received);
    story.claim(sent === PRODUCERS * ROUNDS * 2 && lost === 0, `${lost} lost`);
    story.claim(doubled === 0, `${doubled} doubled`);
    story.claim(disordered === 0, `${disordered} out of order in their partition`);
    story.claim(cluster.complaints.length === 0, 'no broker had anything to complain of');
    story.conclude();
  } finally {
    await producers.disconnect();
  }
}

async function fallSilent(cluster: EmbeddedCluster, story: Story): Promise<void> {
  story.say(`They fall silent. After ${MAX_IDLE_SECONDS} s without work a connection may go.`);
  let shown = cluster.tally.open;
  await waitFor(() => {
    const { open } = cluster.tally;
    if (open !== shown) story.say(`${open === 1 ? '1 connection' : `${open} connections`} at the brokers`);
    shown = open;
    return open === 0;
  }, ASLEEP_WITHIN_MILLISECONDS);
  story.figure('broker connections, asleep', cluster.tally.open);
  story.claim(cluster.tally.open === 0, 'no connection is left at any broker');
  const { accepted } = cluster.tally;
  const bytes = cluster.bytesIn + cluster.bytesOut;
  await pause(SILENCE_MILLISECONDS);
  const passed = cluster.bytesIn + cluster.bytesOut - bytes;
  story.claim(cluster.tally.accepted === accepted && passed === 0, 'for a second: 0 connections, 0 bytes');
}

/** Ids of the clients that are connected to the sidecar. */
function openSockets(app: App): ReadonlySet<string> {
  return new Set(app.routes.flatMap((route) => route.clients().map(({ id }) => id)));
}

/** Of each broker, in their order. */
function byBroker(cluster: EmbeddedCluster): string {
  return cluster.brokers.map(({ tally }) => tally.open).join(' + ');
}

async function waitFor(condition: () => boolean, milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!condition() && performance.now() < deadline) await pause(LOOK_EVERY_MILLISECONDS);
}

/** Until the reader has seen enough. */
async function stayUp({ app, bootstrap }: Sidecar, story: Story): Promise<void> {
  const slackwater = import.meta.filename.endsWith('.ts') ? 'npx node src/main.ts' : 'npx slackwater';
  story.say('Brokers and sidecar stay up. In another terminal, try:');
  for (const command of ['status', 'upstreams', 'clients'])
    story.add(`${slackwater} ${command} --admin ${app.adminUrl}`);
  story.add(`kcat -b ${bootstrap} -t ${TOPIC} -P    (or any other Kafka client)`);
  story.say('Ctrl-C ends it.');
  const keepAlive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  clearInterval(keepAlive);
}
