/**
 * What may happen, as numbers: `a` picks whom, `b` picks how, each modulo what there is to pick from. So every list of
 * steps is a schedule, a shorter one too, and a seed and a path replay it.
 */
import fc from 'fast-check';

/** Name and weight. */
const OPS = {
  /** A process starts, and opens a producer or a consumer. */
  start: 7,
  produce: 5,
  consume: 2,
  send: 30,
  closeProducer: 3,
  closeConsumer: 1,
  ask: 3,
  ping: 3,
  retry: 12,
  /** What a socket sends from now on stays with it; `sendPart` lets some of it go, `sendAll` all of it. */
  hesitate: 3,
  sendPart: 6,
  sendAll: 6,
  processEnds: 1,
  processDies: 2,
  socketDies: 2,
  clog: 2,
  unclog: 4,
  hold: 3,
  release: 8,
  unload: 4,
  deleteTopic: 1,
  deleteInactive: 1,
  schema: 1,
  refuse: 2,
  notReady: 1,
  ready: 3,
  throttle: 2,
  unthrottle: 4,
  brokerEnds: 2,
  brokerDies: 1,
  brokerUp: 4,
  challenge: 1,
  deliver: 40,
  pump: 30,
  pass: 14,
  stall: 3,
  reap: 2,
  condemn: 1,
  closeClient: 1,
} as const;

export type Op = keyof typeof OPS;
export type Step = readonly [op: Op, a: number, b: number];

export interface Setting {
  readonly cap: number;
  readonly deduplication: boolean;
  readonly redirects: boolean;
  readonly keepsTopicsAlive: boolean;
  /** The end is the sidecar's, not its clients'. */
  readonly shutdown: boolean;
}

const MOST = 0xffff;

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(...(Object.keys(OPS) as Op[]).map((op) => ({ weight: OPS[op], arbitrary: fc.constant(op) }))),
  fc.nat(MOST),
  fc.nat(MOST),
);

export function schedules(mostSteps: number): fc.Arbitrary<readonly Step[]> {
  return fc.array(step, { minLength: 5, maxLength: mostSteps, size: 'max' });
}

export const settings: fc.Arbitrary<Setting> = fc.record({
  cap: fc.integer({ min: 1, max: 3 }),
  deduplication: fc.boolean(),
  redirects: fc.boolean(),
  keepsTopicsAlive: fc.constantFrom(false, false, false, true),
  shutdown: fc.constantFrom(false, false, true),
});
