/** Runs one schedule, and what must come of it in the end. */
import { act } from './actions.ts';
import type { Setting, Step } from './steps.ts';
import { USERS, World } from './world.ts';

/** The detector's and the sweep's. */
const STANDING_TIMERS = 2;

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
    act(world, step);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    world.check();
  }
  await heal(world);
  checkServed(world);
  await end(world);
  checkEmpty(world);
}

async function pass(world: World, seconds: number): Promise<void> {
  for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
    world.core.clock.advance(100);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    world.check();
  }
}

/** Everybody does what is expected of them from now on. */
async function heal(world: World): Promise<void> {
  for (const user of USERS) world.rotate(user, true);
  for (const broker of world.core.cluster.brokers.values()) {
    broker.start();
    broker.manual = false;
    broker.answersPings = true;
    for (const connection of broker.open) {
      connection.peer.unclog();
      connection.peer.send(world.unsentAnswers.get(connection) ?? '');
      if (connection.waiting.length > 0) connection.answer();
    }
  }
  for (const application of world.apps) {
    application.clogged = false;
    application.app.peer.unclog();
    if (!application.hasEnded) application.flush(Number.POSITIVE_INFINITY);
  }
  await pass(world, 3);
}

/** Who is still connected has all of its answers, and nobody waits. */
function checkServed(world: World): void {
  for (const { app, answerable, isOpen, hasEnded, hasSentGarbage, client } of world.apps) {
    if (!isOpen) continue;
    if (hasSentGarbage) throw new Error(`${client} sent garbage and is still open`);
    if (hasEnded) throw new Error(`${client} ended and is still open`);
    if (app.answers.length !== answerable.length)
      throw new Error(`${client} has ${app.answers.length} of ${answerable.length} answers`);
  }
  for (const pool of world.core.route.pools) if (pool.queue.size > 0) throw new Error('somebody waits for ever');
}

/** The applications go, and time passes. */
async function end(world: World): Promise<void> {
  world.ending = true;
  for (const { app } of world.apps) app.peer.fin();
  await pass(world, 2);
  world.core.clock.advance(200_000);
  world.check();
}

function checkEmpty(world: World): void {
  const { route, clock, network } = world.core;
  if (route.clients.size > 0) throw new Error(`${route.clients.size} clients are left`);
  for (const pool of route.pools) {
    const left = pool.open.size + pool.closing.size + pool.idle.size + pool.supply.dialing + pool.queue.size;
    if (left > 0) throw new Error(`${left} things are left in the pool of ${pool.broker}`);
    if (pool.retired) throw new Error(`a retired pool of ${pool.broker} is left`);
  }
  if (world.unreleased.length > 0) throw new Error(`${world.unreleased.join()} never said goodbye`);
  if (network.open > 0) throw new Error(`${network.open} sockets are left`);
  if (clock.timers !== STANDING_TIMERS) throw new Error(`${clock.timers} timers are left`);
}
