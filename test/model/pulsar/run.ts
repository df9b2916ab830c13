/** Runs one schedule, and what must come of it in the end. */
import { shutDown } from '../../../src/core/shutdown.ts';
import { act } from './actions.ts';
import type { Setting, Step } from './steps.ts';
import { INTERVAL_SECONDS, MAX_IDLE_SECONDS, World } from './world.ts';

/** The detector's and the sweep's. */
const STANDING_TIMERS = 2;
/** A coarse timer, and an answer to the closing. */
const SPREAD_SECONDS = 5;
const TURNS = 4;
/** Longer than any pause of ours between dials, and than anything may be blocked. */
const HEAL_ROUNDS = 20;
const HEAL_SECONDS = 4;

/** @param trace is told what happens, line by line */
export async function runSchedule(
  setting: Setting,
  steps: readonly Step[],
  trace: (line: string) => void = () => undefined,
): Promise<void> {
  const world = new World(setting);
  world.trace = trace;
  await world.start();
  world.check();
  for (const step of steps) {
    trace(`${world.now} ${JSON.stringify(step)}`);
    world.noteTrouble();
    act(world, step);
    await turns();
    world.check();
  }
  trace('all is well from here on');
  await heal(world);
  if (setting.shutdown) {
    await endSidecar(world);
    return;
  }
  await sleepAndWake(world);
  await endClients(world);
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
}

async function pass(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    world.sidecar.clock.advance(1000);
    world.keepAlive();
    world.sidecar.pump();
    await turns();
    world.check();
  }
}

/** Everybody does what is expected of them from now on. */
async function heal(world: World): Promise<void> {
  const { sidecar, connections } = world;
  sidecar.holds = false;
  world.refusals = 0;
  for (const broker of sidecar.cluster.brokers) {
    world.brokerUp(broker.index);
    broker.release();
    broker.keepsProducersWaiting = false;
    broker.makeReady();
  }
  for (const wire of world.upstreamWires) wire.peer.unclog();
  for (const connection of connections) {
    connection.isClogged = false;
    connection.socket.peer.unclog();
    connection.socket.hesitation.letGo(Number.POSITIVE_INFINITY);
  }
  world.troubleTime = world.now;
  for (let round = 0; round < HEAL_ROUNDS; round += 1) {
    for (const process of world.live) process.retry();
    await pass(world, HEAL_SECONDS);
  }
  checkServed(world);
}

/** Everybody has all of their answers, and the brokers know of nothing else. */
function checkServed(world: World): void {
  const fail = (rule: string): never => {
    throw new Error(rule);
  };
  for (const { number, isLive, pending, state, name, topic } of world.producers) {
    const isRival = world.producers.some(
      (other) => other.number !== number && other.isLive && other.topic === topic && other.name === name,
    );
    if (!isLive || isRival) continue;
    if (state !== 'ready') fail(`producer ${number} is ${state}`);
    if (pending.length > 0) fail(`producer ${number} waits for the receipt of ${pending[0]?.index}`);
  }
  for (const { number, isLive, state } of world.consumers)
    if (isLive && state !== 'ready') fail(`consumer ${number} is ${state}`);
  for (const connection of world.connections) {
    const { unanswered, pings, pongs, socket } = connection;
    if (unanswered.length > 0) fail(`${socket.id} has no answer to ${unanswered.join()}`);
    if (pongs < pings) fail(`${socket.id} got ${pongs} of ${pings} PONGs`);
  }
  for (const pool of world.sidecar.route.pools) if (pool.queue.size > 0) fail('somebody waits for ever');
  checkRegistered(world, fail);
  checkConsumed(world, fail);
}

function checkRegistered(world: World, fail: (rule: string) => never): void {
  for (const topic of world.sidecar.cluster.topics.values()) {
    for (const { name, holder } of topic.producers.values()) {
      const isKnown = world.liveProducers.some((each) => each.topic === topic.name && each.name === name);
      if (holder.isOpen && !isKnown) fail(`${name} is open at a broker, and nobody has it`);
    }
  }
  for (const { id, registrations } of world.sidecar.control.clients()) {
    const connection = world.connectionOf(id);
    const has = registrations.filter(({ state }) => state !== 'closed').length;
    const producers = [...(connection?.producers.values() ?? [])].length;
    const consumers = [...(connection?.consumers.values() ?? [])].length;
    if (has !== producers + consumers)
      fail(`${id} has ${producers} producers and ${consumers} consumers, and ${has} are known`);
  }
}

function checkConsumed(world: World, fail: (rule: string) => never): void {
  for (const { number, isLive, topic, received } of world.consumers) {
    const known = world.sidecar.cluster.topics.get(topic);
    if (!isLive || known === undefined) continue;
    const missing = known.entries.find(({ id }) => !received.has(`${known.ledger}:${id}`));
    if (missing !== undefined) fail(`consumer ${number} never got ${missing.body.toString().slice(0, 20)}`);
  }
}

async function sleepAndWake(world: World): Promise<void> {
  const { sidecar } = world;
  await pass(world, MAX_IDLE_SECONDS + INTERVAL_SECONDS + SPREAD_SECONDS);
  const isAwake = world.options.keepsTopicsAlive && world.liveProducers.length > 0;
  const pinning = [...world.liveProducers.filter(({ isExclusive }) => isExclusive), ...world.consumers].filter(
    ({ isLive }) => isLive,
  );
  const pinned = new Set(pinning.map(({ connection }) => connection)).size;
  if (!isAwake && sidecar.cluster.open !== pinned)
    throw new Error(`${sidecar.cluster.open} connections are left to the brokers, of which ${pinned} are pinned`);
  for (const producer of world.liveProducers) if (producer.state === 'ready') producer.send(1);
  for (let round = 0; round < 3; round += 1) {
    await pass(world, 2);
    for (const process of world.live) process.retry();
  }
  await pass(world, 2);
  checkServed(world);
}

/** All clients go, and time passes. */
async function endClients(world: World): Promise<void> {
  world.ending = true;
  for (const process of world.live) process.end('fin');
  await pass(world, 4);
  checkForgotten(world);
  await pass(world, MAX_IDLE_SECONDS + INTERVAL_SECONDS + SPREAD_SECONDS);
  const { clock } = world.sidecar;
  world.sidecar.clock.advance(200_000);
  checkEmpty(world);
  if (clock.timers !== STANDING_TIMERS) throw new Error(`${clock.timers} timers are left`);
  await world.sidecar.route.stop();
  world.sidecar.pump();
}

async function endSidecar(world: World): Promise<void> {
  world.ending = true;
  const { sidecar } = world;
  for (const { client } of world.connections) {
    client.onFrame = () => undefined;
    client.onEnd = () => undefined;
  }
  let isOver = false;
  const over = shutDown([sidecar.route], sidecar.clock).then(() => {
    isOver = true;
  });
  for (let second = 0; second < 40 && !isOver; second += 1) await pass(world, 1);
  if (!isOver) throw new Error('the sidecar does not end');
  await over;
  checkEmpty(world);
  if (sidecar.clock.timers > 0) throw new Error(`${sidecar.clock.timers} timers are left`);
}

/** Brokers know of nobody any more. */
function checkForgotten(world: World): void {
  for (const topic of world.sidecar.cluster.topics.values())
    for (const { name, holder } of topic.producers.values())
      if (holder.isOpen) throw new Error(`${name} is open at a broker, and its client is gone`);
}

function checkEmpty(world: World): void {
  const { route, network } = world.sidecar;
  if (route.clients.size > 0) throw new Error(`${route.clients.size} clients are left`);
  for (const pool of route.pools) {
    const left = pool.open.size + pool.closing.size + pool.idle.size + pool.supply.dialing + pool.queue.size;
    if (left > 0) throw new Error(`${left} things are left in the pool of ${pool.broker}`);
    if (pool.retired && !world.options.shutdown) throw new Error(`a retired pool of ${pool.broker} is left`);
  }
  if (network.open > 0) throw new Error(`${network.open} sockets are left`);
}
