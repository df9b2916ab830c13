/** Two users of one sidecar, each of whom the brokers forbid what the other may. */
import type { Authorization } from '../kafka-node.ts';

export interface Decisions {
  /** `PRINCIPAL TOPIC` to how often it was allowed. */
  readonly allowed: Readonly<Record<string, number>>;
  readonly denied: Readonly<Record<string, number>>;
}

/** What brokers decided on these topics, but for what the brokers themselves and the judge do. */
export function decisionsOn(topics: readonly string[], authorizations: readonly Authorization[]): Decisions {
  const counts = { allowed: {} as Record<string, number>, denied: {} as Record<string, number> };
  for (const { principal, allowed, resource } of authorizations) {
    const topic = resource.replace(/^Topic:LITERAL:/, '');
    if (principal === 'User:ANONYMOUS' || !topics.includes(topic)) continue;
    const table = allowed ? counts.allowed : counts.denied;
    const key = `${principal} ${topic}`;
    table[key] = (table[key] ?? 0) + 1;
  }
  return counts;
}
