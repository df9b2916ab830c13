/**
 * What may happen, as numbers: `a` picks whom, `b` picks how, each modulo what there is to pick from. So every list of
 * steps is a schedule, a shorter one too, and a seed and a path replay it.
 */
import fc from 'fast-check';

/** Name and weight. */
const OPS = {
  connect: 6,
  /** A whole request. */
  request: 22,
  /** The first bytes of one; `more` sends the rest. */
  part: 5,
  more: 6,
  garbage: 1,
  appFin: 2,
  appReset: 2,
  appClog: 2,
  appUnclog: 4,
  answer: 20,
  answerMuting: 2,
  answerPart: 4,
  answerMore: 6,
  answerWrong: 1,
  unsolicited: 1,
  brokerFin: 2,
  brokerReset: 2,
  brokerClog: 2,
  brokerUnclog: 4,
  brokerDown: 2,
  brokerSilent: 1,
  brokerUp: 4,
  brokerMoves: 1,
  pings: 1,
  deliver: 40,
  pump: 24,
  tick: 16,
  timer: 8,
  readInput: 10,
  reap: 1,
  condemn: 1,
  closeClient: 1,
  /** A user's secret is replaced, rightly or wrongly. */
  rotate: 2,
  /** The brokers take another secret than before. */
  revoke: 1,
} as const;

export type Op = keyof typeof OPS;
export type Step = readonly [op: Op, a: number, b: number];

export interface Setting {
  readonly cap: number;
  readonly warm: number;
  readonly seed: number;
  /** Brokers know alice and bob, and nobody else; each application is one of them. */
  readonly users: boolean;
  /** For so long a connection is served; 0: without end. */
  readonly sessionSeconds: number;
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
  warm: fc.constantFrom(0, 0, 0, 1),
  seed: fc.nat(MOST),
  users: fc.boolean(),
  sessionSeconds: fc.constantFrom(0, 0, 20, 50),
});
