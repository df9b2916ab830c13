/** What of a client's is open at brokers, as those see it who look. */
import type { MultiplexingContext, Registration } from '../../contract/multiplexing.ts';
import { PIN_REASONS, type PinReason } from '../../contract/reasons.ts';
import type { PulsarClientSession } from './client-session.ts';

/** What all producers of one client that may share connections have in common. */
export type Place = Pick<Registration, 'broker' | 'purpose' | 'isShared' | 'keptBy'>;

/** @param purpose of the connections for its producers that may share */
export function registrationsOf(
  { homeNode, producers, ledgers, ownPurpose }: PulsarClientSession,
  purpose: string,
  { keepsTopicsAlive }: MultiplexingContext,
): readonly Registration[] {
  const { isIsolated } = producers;
  const keptBy = isIsolated ? 'bulk' : keepsTopicsAlive ? 'keepTopicsAlive' : '';
  const place = { broker: homeNode, purpose, isShared: !isIsolated, keptBy };
  return [...producers.registrations(place), ...ledgers.registrations(ownPurpose)];
}

/** Why their client has connections of its own. */
export function pinsAmong(registrations: readonly Registration[]): readonly PinReason[] {
  const reasons = new Set(registrations.flatMap(({ state, keptBy }) => (state === 'parked' ? [] : keptBy)));
  return PIN_REASONS.filter((reason) => reasons.has(reason));
}
