/** Which closes of a client's connection have a cause, of one that did not close it itself. */
import type { CLOSE_REASONS } from '../../../src/contract/reasons.ts';
import type { CoreEvent } from '../../../src/core/events.ts';
import type { Connection } from './connection.ts';
import type { World } from './world.ts';

type Rule = (connection: Connection, world: World) => boolean;

/** What waits for a broker may wait so long, and some sweeps of a coarse timer. */
const PATIENCE_MILLISECONDS = 45_000;

const RULES: Partial<Record<(typeof CLOSE_REASONS)[number], Rule>> = {
  wait_timeout: (_connection, { now, troubleTime }) => now - troubleTime <= PATIENCE_MILLISECONDS,
  stalled: ({ isClogged, socket }, { now, troubleTime }) =>
    isClogged || socket.hesitation.unsent > 0 || now - troubleTime <= PATIENCE_MILLISECONDS,
  operator: ({ wasExpelled }) => wasExpelled,
  /** Its broker's connection broke, and something of its own was under way. */
  upstream_lost: (connection, { hasLost, hasTorn, options, now, troubleTime }) =>
    (hasLost || now - troubleTime <= PATIENCE_MILLISECONDS) &&
    (hasTorn || connection.isBusy || (options.keepsTopicsAlive && connection.producers.size > 0)),
};

type Disconnected = Extract<CoreEvent, { type: 'client.disconnected' }>;

export function closeFault(world: World, { client, reason, detail }: Disconnected): string | undefined {
  const connection = world.connectionOf(client);
  if (connection === undefined || world.ending || connection.hasEnded || connection.hasReset) return undefined;
  if (RULES[reason]?.(connection, world) === true) return undefined;
  return `${client} was closed for ${reason} without a cause: ${detail}`;
}
