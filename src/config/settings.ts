/**
 * The keys that stand at the top level for all routes and that each route may override. Every key is written
 * once: its type, bounds, default and meaning.
 */
import { z } from 'zod';
import { flag, whole } from './scalars.ts';

const DAY = 86_400;
const WEEK = 604_800;
const MEBIBYTE = 1_048_576;

export const idleKeys = {
  autoReleaseIdleConnectionsEnabled: flag()
    .describe('Whether broker connections without valid data are released at all.')
    .default(true),
  connectionMaxIdleSeconds: whole('seconds', 0, DAY)
    .describe(
      "Release a broker connection after this long without valid data: the application's own work, not what its client " +
        'library sends by itself. 0 never releases one; 1 to 29 need `allowShortIdle`.',
    )
    .default(180),
  connectionIdleDetectionIntervalSeconds: whole('seconds', 1, 3600)
    .describe('How often idle connections are looked for. A connection goes at most this long, and a little, later.')
    .default(60),
  housekeepingLingerSeconds: whole('seconds', 0, 3600)
    .describe('How long a connection stays that was opened for housekeeping alone, such as a metadata refresh.')
    .default(1),
  idleCeilingSeconds: whole('seconds', 1, WEEK)
    .describe(
      'After how much silence the broker, or a load balancer before it, cuts a connection: Azure 240, AWS NLB 350, ' +
        'Kafka 600. Idle time, detection interval and 10 s together must stay below it.',
    )
    .default(600),
  allowShortIdle: flag()
    .describe('Permit `connectionMaxIdleSeconds` and `clientMaxIdleSeconds` from 1 to 29: for tests and demos.')
    .default(false),
  allowAboveCeiling: flag()
    .describe('Permit an idle time that reaches `idleCeilingSeconds`: others will then cut connections first.')
    .default(false),
  clientMaxIdleSeconds: whole('seconds', 0, WEEK)
    .describe(
      "Also close an application's socket that is idle and has sent no valid data for so long. 0 keeps it open for " +
        'ever; 1 to 29 need `allowShortIdle`.',
    )
    .default(0),
  maxClients: whole('sockets', 1, 1_000_000)
    .describe('How many application sockets a route has at a time; one more is closed as it comes.')
    .default(10_000),
  shutdownGraceSeconds: whole('seconds', 0, 3600)
    .describe(
      'How long a shutdown may take. All but the last 5 s of it new sockets are accepted and served as before, unless ' +
        'no client is left earlier.',
    )
    .default(25),
};

export const poolKeys = {
  maxConnectionsPerBroker: whole('connections', 1, 10_000)
    .describe('Broker connections, idle or lent for a moment, to one broker. Held, pinned and muted ones come on top.')
    .default(16),
  growAfterWaitMilliseconds: whole('milliseconds', 0, 60_000)
    .describe('A request that waits for a connection makes the pool open one more only after this long.')
    .default(10),
  leaseMaxHoldMilliseconds: whole('milliseconds', 1, 60_000)
    .describe('A client that keeps a connection busy for so long passes it on when others wait.')
    .default(50),
  slowAnswerMilliseconds: whole('milliseconds', 1, 60_000)
    .describe('A connection whose answer is overdue for so long stops counting towards the cap until it has come.')
    .default(500),
  maxWaiters: whole('clients', 1, 1_000_000)
    .describe('How many clients may wait for a connection to one broker; one more is reset.')
    .default(10_000),
  maxWaitMilliseconds: whole('milliseconds', 100, 600_000)
    .describe('How long a client may wait for a connection before it is reset.')
    .default(5000),
  excessLingerSeconds: whole('seconds', 0, 3600)
    .describe('A connection beyond the cap is released once it has been quiet for so long.')
    .default(10),
  minWarmConnectionsPerBroker: whole('connections', 0, 10_000)
    .describe('Never release below this many connections to a broker while a client is open.')
    .default(0),
  validateAfterIdleSeconds: whole('seconds', 0, DAY)
    .describe("A connection that was quiet for so long must answer a request of the sidecar's own before it is lent.")
    .default(30),
  maxConnectionAgeSeconds: whole('seconds', 1, WEEK)
    .describe('Replace a connection, between two uses, at this age, give or take 10 %.')
    .default(3600),
};

export const limitKeys = {
  maxFrameBytes: whole('bytes', 1024, 2 ** 31 - 1)
    .describe('The largest request or answer that is passed on; a larger one closes the connection.')
    .default(100 * MEBIBYTE),
  wholeFrameBytes: whole('bytes', 1024, 16 * MEBIBYTE)
    .describe('Up to this size a request is passed on only once it is complete; a larger one is streamed.')
    .default(65_536),
  clientStallSeconds: whole('seconds', 1, 3600)
    .describe(
      "Close an application's socket after this much silence in the middle of a request, or of an answer that it does not take.",
    )
    .default(60),
  responseTimeoutSeconds: whole('seconds', 1, 3600)
    .describe(
      'Give a broker connection up when an answer is owed and nothing has come for so long, beyond the wait that the ' +
        'request itself allows.',
    )
    .default(120),
};

export const dialKeys = {
  dialTimeoutMilliseconds: whole('milliseconds', 100, 120_000)
    .describe(
      'How long opening a broker connection may take, greeting included. Less than `pool.maxWaitMilliseconds`, so ' +
        'that a client that waits learns of a dead broker.',
    )
    .default(3000),
};

type Defaulted = Readonly<Record<string, z.ZodDefault>>;
type Overridable<S extends Defaulted> = { [K in keyof S]: z.ZodOptional<ReturnType<S[K]['unwrap']>> };

/** The same keys for a route: without defaults, since the top level's value stands where the route has none. */
export function overridable<S extends Defaulted>(keys: S): Overridable<S> {
  const entries = Object.entries(keys).map(([key, schema]) => [key, z.optional(schema.unwrap())]);
  return Object.fromEntries(entries) as Overridable<S>;
}
