/** What each step does to the world. A step that finds nobody to pick does nothing. */
import type { BrokerConnection } from '../../support/pulsar/broker-connection.ts';
import type { CommandName } from '../../support/pulsar/commands.ts';
import type { Connection } from './connection.ts';
import type { Process } from './process.ts';
import type { Op, Step } from './steps.ts';
import { BROKERS, WHOLE_FRAME_BYTES, type World } from './world.ts';

const MOST_PROCESSES = 6;
const MOST_PRODUCERS = 4;
const MOST_PENDING = 12;
const TOPICS = ['t0', 't0', 't1', 't2'].map((name) => `persistent://public/default/${name}`);
const NAMES = [null, null, null, 'mine', 'yours'] as const;
const BODIES = [0, 0, 0, 20, 100, WHOLE_FRAME_BYTES + 200, 1500];
/** What brokers take their time for; a producer is closed once all of its messages are stored. */
const HELD: readonly (readonly CommandName[])[] = [['PRODUCER'], ['CLOSE_PRODUCER'], ['LOOKUP'], ['CONNECT']];
const UNANSWERED: readonly (readonly CommandName[])[] = [['SEND', 'CLOSE_PRODUCER'], ...HELD];
const PASSES = [0.01, 0.1, 0.5, 1, 1, 2, 5, 11, 16, 31, 45];

type Action = (world: World, a: number, b: number) => void;

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from.length === 0 ? undefined : from[index % from.length];
}

function withProcess(act: (process: Process, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const process = pick(world.live, a);
    if (process !== undefined) act(process, world, b);
  };
}

function withConnection(act: (connection: Connection, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const connection = pick(world.connections, a);
    if (connection !== undefined) act(connection, world, b);
  };
}

function withBrokerConnection(act: (connection: BrokerConnection, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const connection = pick(world.brokerConnections, a);
    if (connection !== undefined) act(connection, world, b);
  };
}

function produce(process: Process, world: World, b: number): void {
  if (process.producers.filter(({ isLive }) => isLive).length >= MOST_PRODUCERS) return;
  const number = world.producers.length;
  // One that wants a topic for itself has one for itself.
  const isExclusive = b % 16 === 15;
  const topic = isExclusive ? `persistent://public/default/own-${number}` : (pick(TOPICS, b) ?? '');
  const name = isExclusive ? null : (pick(NAMES, b >> 4) ?? null);
  world.producers.push(process.produce(number, topic, name, isExclusive));
}

function consume(process: Process, world: World, b: number): void {
  if (process.consumers.some(({ isLive }) => isLive)) return;
  world.consumers.push(process.consume(world.consumers.length, pick(TOPICS, b) ?? ''));
}

function passTime(world: World, b: number): void {
  const { sidecar } = world;
  let left = pick(PASSES, b) ?? 1;
  world.noteTrouble();
  sidecar.holds = false;
  sidecar.pump();
  while (left > 0) {
    sidecar.clock.advance(Math.min(1, left) * 1000);
    left -= 1;
    world.keepAlive();
    sidecar.pump();
  }
  sidecar.holds = true;
  world.noteTrouble();
}

const ACTIONS: Readonly<Record<Op, Action>> = {
  start: (world, a, b) => {
    if (world.live.length >= MOST_PROCESSES) return;
    const process = world.startProcess(a);
    if (process === null) return;
    if (b % 5 === 0) consume(process, world, b >> 3);
    else produce(process, world, b >> 3);
  },
  produce: withProcess(produce),
  consume: withProcess(consume),
  send: (world, a, b) => {
    const producer = pick(world.liveProducers, a);
    if (producer === undefined) return;
    for (let count = 0; count <= b % 3 && producer.pending.length < MOST_PENDING; count += 1)
      producer.send(pick(BODIES, b >> 4) ?? 0);
  },
  closeProducer: (world, a) => pick(world.liveProducers, a)?.close(),
  closeConsumer: (world, a) =>
    pick(
      world.consumers.filter(({ isLive }) => isLive),
      a,
    )?.close(),
  ask: withProcess((process, _world, b) => process.ask(pick(TOPICS, b) ?? '')),
  ping: withConnection((connection) => connection.ping()),
  retry: withProcess((process) => process.retry()),
  hesitate: withConnection(({ socket }) => socket.hesitation.begin()),
  sendPart: withConnection(({ socket: { hesitation } }, _world, b) => {
    if (hesitation.unsent > 0) hesitation.letGo(1 + (b % hesitation.unsent));
  }),
  sendAll: withConnection(({ socket }) => socket.hesitation.letGo(Number.POSITIVE_INFINITY)),
  processEnds: withProcess((process) => process.end('fin')),
  processDies: withProcess((process) => process.end('reset')),
  socketDies: withConnection((connection, _world, b) => {
    connection.hasReset = true;
    if (b % 2 === 0) connection.client.end();
    else connection.client.reset();
  }),
  clog: withConnection((connection, _world, b) => {
    connection.isClogged = true;
    connection.socket.peer.clog(b % 300);
  }),
  unclog: withConnection((connection) => {
    connection.isClogged = false;
    connection.socket.peer.unclog();
  }),
  hold: ({ sidecar }, a, b) => {
    const broker = sidecar.cluster.broker(a % BROKERS);
    if (b % 2 === 0) broker.hold(...(pick(HELD, b >> 1) ?? []));
    else broker.holdAnswers(...(pick(UNANSWERED, b >> 1) ?? []));
  },
  release: ({ sidecar }, a) => sidecar.cluster.broker(a % BROKERS).release(),
  unload: ({ sidecar }, a, b) => {
    const topic = pick([...sidecar.cluster.topics.keys()], a);
    if (topic !== undefined) sidecar.cluster.unload(topic, b % BROKERS, (b >> 4) % 2 === 0);
  },
  deleteTopic: ({ sidecar }, a) => {
    const topic = pick([...sidecar.cluster.topics.keys()], a);
    if (topic !== undefined) sidecar.cluster.delete(topic);
  },
  deleteInactive: ({ sidecar }) => void sidecar.cluster.deleteInactive(),
  schema: ({ sidecar }, a, b) => {
    const topic = pick([...sidecar.cluster.topics.values()], a);
    if (topic !== undefined) topic.schemaVersion = Buffer.from([b % 256]);
  },
  refuse: (world, _a, b) => {
    world.refusals = 1 + (b % 3);
  },
  notReady: ({ sidecar }, a) => {
    sidecar.cluster.broker(a % BROKERS).keepsProducersWaiting = true;
  },
  ready: ({ sidecar }, a) => {
    const broker = sidecar.cluster.broker(a % BROKERS);
    broker.keepsProducersWaiting = false;
    broker.makeReady();
  },
  throttle: withBrokerConnection((connection, { sidecar }, b) => sidecar.peers.get(connection)?.clog(b % 300)),
  unthrottle: withBrokerConnection((connection, { sidecar }) => sidecar.peers.get(connection)?.unclog()),
  brokerEnds: withBrokerConnection((connection, world, b) => {
    world.hasLost = true;
    world.hasTorn ||= b % 3 === 0;
    if (b % 3 === 0) connection.write(Buffer.from([0, 0, 0, 30, 0, 0, 0, 26, 8]));
    if (b % 2 === 0) connection.end();
    else connection.reset();
  }),
  brokerDies: (world, a) => world.brokerDies(a % BROKERS),
  brokerUp: (world, a) => world.brokerUp(a % BROKERS),
  challenge: withBrokerConnection((connection, world) => {
    if (connection.connect === null || connection.broker.isHolding) return;
    connection.challenge();
    world.hasLost = true; // whoever cannot be asked is closed
  }),
  deliver: ({ sidecar }, a, b) => {
    const found = pick(sidecar.network.deliverable(), a);
    if (found === undefined) return;
    if (found.inwards) found.wire.deliverIn(b % 3 === 0 ? 1 + (b % 250) : undefined);
    else found.wire.deliverOut();
  },
  pump: (world) => {
    world.sidecar.holds = false;
    world.sidecar.clock.readInput();
    world.sidecar.holds = true;
  },
  pass: (world, _a, b) => passTime(world, b),
  stall: (world, _a, b) => {
    world.sidecar.clock.runTimers((pick(PASSES, b) ?? 1) * 1000);
    world.troubleTime = world.now;
    world.hasLost = true; // what seems dead is given up
    world.keepAlive();
  },
  reap: ({ sidecar }, a, b) => void sidecar.control.reap({ olderThanSeconds: a % 4, dryRun: b % 4 === 0 }),
  condemn: (world, a, b) => {
    const view = pick(world.sidecar.control.upstreams(), a);
    if (view === undefined) return;
    if (b % 2 === 0) world.hasLost = true;
    world.sidecar.control.condemnUpstream(view.id, b % 2 === 0);
  },
  closeClient: withConnection((connection, { sidecar }) => {
    connection.wasExpelled = true;
    sidecar.control.closeClient(connection.socket.id);
  }),
};

export function act(world: World, [op, a, b]: Step): void {
  ACTIONS[op](world, a, b);
}
