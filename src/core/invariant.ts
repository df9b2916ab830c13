/** A rule of the core was broken by the core itself. Never clamped, never ignored: counted, and the connection goes. */
export class InvariantViolation extends Error {
  readonly code = 'INVARIANT_VIOLATED';
}

export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new InvariantViolation(rule);
}
