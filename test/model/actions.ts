/** What each step does to the world. A step that finds nobody to pick does nothing. */
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import type { FakeBroker, FakeConnection } from '../support/fake-broker.ts';
import type { Application } from './application.ts';
import type { Op, Step } from './steps.ts';
import { USERS, type World } from './world.ts';

const MOST_APPS = 8;
const WORDS = ['pool', 'pool', 'pool', 'house', 'meta', 'meta', 'hi', 'hold', 'shot', 'shot', 'odd', 'share'];
/** Answers that may throttle, those to probes, fences and renewals of ours too. */
const MAY_MUTE = new Set(['pool', 'ping', 'refresh']);
const BODIES = [0, 0, 10, 150, 700];
const TICKS = [1, 10, 50, 100, 100, 500, 1000, 2000, 6000, 11_000, 31_000];

type Action = (world: World, a: number, b: number) => void;

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from.length === 0 ? undefined : from[index % from.length];
}

function withApp(act: (application: Application, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const application = pick(
      world.apps.filter(({ isOpen }) => isOpen),
      a,
    );
    if (application !== undefined) act(application, world, b);
  };
}

function withConnection(act: (connection: FakeConnection, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const connection = pick(
      [...world.core.cluster.brokers.values()].flatMap((broker) => broker.open),
      a,
    );
    if (connection !== undefined) act(connection, world, b);
  };
}

function withBroker(act: (broker: FakeBroker, world: World, b: number) => void): Action {
  return (world, a, b) => {
    const broker = pick([...world.core.cluster.brokers.values()], a);
    if (broker !== undefined) act(broker, world, b);
  };
}

function writeRequest(application: Application, world: World, b: number): void {
  const word = pick(WORDS, b) ?? 'pool';
  const bodyBytes = word === 'hi' || word === 'meta' ? 0 : (pick(BODIES, b >> 4) ?? 0);
  const answer = pick(BODIES, b >> 7) ?? 0;
  const keys: [string, string][] = [];
  if (word === 'meta') keys.push(['topic', `t${b % 3}`]);
  else if (answer > 0 && word !== 'hi') keys.push(['answer', `${answer}`]);
  application.write(word, keys, bodyBytes, world.now);
}

/** Answers may be given whole only where no piece of an earlier one is left. */
function mayAnswer(connection: FakeConnection, world: World): boolean {
  const [first] = connection.waiting;
  return first !== undefined && (world.unsentAnswers.get(connection)?.length ?? 0) === 0;
}

const ACTIONS: Readonly<Record<Op, Action>> = {
  connect: (world, a) => {
    if (world.apps.filter(({ isOpen }) => isOpen).length < MOST_APPS)
      world.connect(pick(['1', '1', '2', BOOTSTRAP], a) ?? '1', a >> 2);
  },
  request: withApp((application, world, b) => {
    if (!application.maySend) return;
    writeRequest(application, world, b);
    application.flush(Number.POSITIVE_INFINITY);
  }),
  part: withApp((application, world, b) => {
    if (!application.maySend) return;
    writeRequest(application, world, b);
    application.flush(1 + ((b >> 3) % application.unsent.length));
  }),
  more: withApp((application, _world, b) => application.flush(1 + (b % 200))),
  garbage: withApp((application) => {
    if (!application.maySend || application.unsent.length > 0) return;
    application.hasSentGarbage = true;
    application.app.peer.send('what 1 x\n');
  }),
  appFin: withApp((application) => {
    application.hasEnded = true;
    application.app.peer.fin();
  }),
  appReset: withApp((application) => {
    application.hasReset = true;
    application.app.peer.rst();
  }),
  appClog: withApp((application, _world, b) => {
    application.clogged = true;
    application.app.peer.clog(b % 100);
  }),
  appUnclog: withApp((application) => {
    application.clogged = false;
    application.app.peer.unclog();
  }),
  answer: withConnection((connection, world) => {
    if (mayAnswer(connection, world)) connection.answer();
  }),
  answerMuting: withConnection((connection, world, b) => {
    if (mayAnswer(connection, world) && MAY_MUTE.has(connection.waiting[0]?.word ?? ''))
      connection.answer({ mute: 1 + (b % 2000) });
  }),
  answerPart: withConnection((connection, world, b) => {
    if (!mayAnswer(connection, world)) return;
    const answer = connection.takeAnswer();
    const part = 1 + (b % Math.max(1, answer.length - 1));
    connection.peer.send(answer.subarray(0, part));
    world.unsentAnswers.set(connection, answer.subarray(part));
  }),
  answerMore: withConnection((connection, world, b) => {
    const left = world.unsentAnswers.get(connection);
    if (left === undefined || left.length === 0) return;
    const part = 1 + (b % left.length);
    connection.peer.send(left.subarray(0, part));
    world.unsentAnswers.set(connection, left.subarray(part));
  }),
  answerWrong: withConnection((connection, world) => {
    if (mayAnswer(connection, world)) connection.answer({ id: 'nobody' });
  }),
  unsolicited: withConnection((connection, world) => {
    if (connection.waiting.length === 0 && !world.unsentAnswers.has(connection)) connection.peer.send('ok nobody 0\n');
  }),
  brokerFin: withConnection((connection) => connection.peer.close()),
  brokerReset: withConnection((connection) => connection.peer.rst()),
  brokerClog: withConnection((connection, _world, b) => connection.peer.clog(b % 300)),
  brokerUnclog: withConnection((connection) => connection.peer.unclog()),
  brokerDown: withBroker((broker, _world, b) => broker.stop(b % 2 === 0 ? 'fin' : 'rst')),
  brokerSilent: withBroker((broker) => broker.network.silence(broker.address)),
  brokerUp: withBroker((broker) => broker.start()),
  brokerMoves: withBroker((broker, _world, b) => broker.moveTo(`broker-${broker.node}:${9092 + (b % 2)}`)),
  pings: withBroker((broker, _world, b) => {
    broker.answersPings = b % 2 === 0;
  }),
  deliver: (world, a, b) => {
    const found = pick(world.core.network.deliverable(), a);
    if (found === undefined) return;
    if (found.inwards) found.wire.deliverIn(b % 3 === 0 ? 1 + (b % 250) : undefined);
    else found.wire.deliverOut();
  },
  pump: (world) => world.core.pump(),
  tick: (world, _a, b) => world.core.clock.runTimers(pick(TICKS, b) ?? 1),
  timer: (world) => void world.core.clock.step(),
  readInput: (world) => world.core.clock.readInput(),
  reap: (world, a, b) => {
    void world.core.control.reap({ olderThanSeconds: a % 4, dryRun: b % 4 === 0 });
  },
  condemn: (world, a, b) => {
    const view = pick(world.core.control.upstreams(), a);
    if (view !== undefined) world.core.control.condemnUpstream(view.id, b % 2 === 0);
  },
  rotate: (world, a, b) => world.rotate(pick(USERS, a) ?? '', b % 3 > 0),
  revoke: (world, a) => world.core.cluster.users?.set(pick(USERS, a) ?? '', 'revoked'),
  closeClient: withApp((application, world) => void world.core.control.closeClient(application.client)),
};

export function act(world: World, [op, a, b]: Step): void {
  ACTIONS[op](world, a, b);
}
