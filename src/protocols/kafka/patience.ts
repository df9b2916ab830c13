/** How long a request itself allows the broker to take, in milliseconds. */
import { type Api, ApiKey } from './api-table.ts';
import { afterHeader, afterString, int32At, LACKING } from './request-head.ts';

/** For requests with a time-out somewhere in their body or unknown to us, and for SyncGroup, which waits for a leader. */
export const GENEROUS_MILLISECONDS = 300_000;
const LARGEST_MILLISECONDS = 3_600_000;
const FIRST_FETCH_WITHOUT_REPLICA = 15;

/** @param at for Produce where its acks stand, else where the request begins */
export function patienceOf(api: Api, version: number, bytes: Buffer, at: number, end: number): number {
  if (!api.slow && api.kind !== 'hold') return 0;
  const said = saidTimeout(api, version, bytes, at, end);
  return Math.min(Math.max(0, said ?? GENEROUS_MILLISECONDS), LARGEST_MILLISECONDS);
}

function saidTimeout(api: Api, version: number, bytes: Buffer, at: number, end: number): number | undefined {
  const flexible = version >= api.firstFlexible;
  switch (api.key) {
    case ApiKey.produce:
      return int32At(bytes, at + 2, end);
    case ApiKey.fetch: {
      const body = afterHeader(bytes, at, end, flexible);
      if (body === LACKING) return undefined;
      return int32At(bytes, version >= FIRST_FETCH_WITHOUT_REPLICA ? body : body + 4, end);
    }
    case ApiKey.joinGroup: {
      const body = afterHeader(bytes, at, end, flexible);
      const timeouts = body === LACKING ? LACKING : afterString(bytes, body, end, flexible);
      if (timeouts === LACKING) return undefined;
      return int32At(bytes, version >= 1 ? timeouts + 4 : timeouts, end);
    }
    default:
      return undefined;
  }
}
