/** Pieces that several messages have in common. */
import { between, optional, since, struct } from '../wire/struct.ts';
import { int32, nullableString, string } from '../wire/types.ts';

/** How long the broker will not read from this connection (KIP-219). */
export const throttleTime = (from: number) => optional(since(from, int32), 0);

/** Operations that a caller may do, a bit each; the smallest number stands for "not asked for". */
export const authorizedOperations = (from: number, to = Number.POSITIVE_INFINITY) =>
  optional(between(from, to, int32), -2_147_483_648);

export const endpoint = struct({ nodeId: int32, host: string, port: int32, rack: optional(nullableString) });

export const leaderAndEpoch = struct({ leaderId: int32, leaderEpoch: int32 });
