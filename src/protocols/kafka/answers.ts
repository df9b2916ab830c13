/** Which answers must be looked into as a whole, and who does it. */
import { APIS, type Api, ApiKey } from './api-table.ts';
import { Cursor, MalformedError } from './cursor.ts';
import { readCreatedToken, readDescribedTokens, readTokenExpiry } from './delegation-token.ts';
import { readDescribeCluster } from './describe-cluster.ts';
import { readFindCoordinator } from './find-coordinator.ts';
import type { Findings } from './findings.ts';
import { readMetadata } from './metadata.ts';
import { readProduce } from './produce-response.ts';
import { readShareAcknowledge, readShareFetch } from './share-response.ts';

type Reader = (cursor: Cursor, version: number) => Findings;

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [ApiKey.produce, readProduce],
  [ApiKey.metadata, readMetadata],
  [ApiKey.findCoordinator, readFindCoordinator],
  [ApiKey.createDelegationToken, readCreatedToken],
  [ApiKey.renewDelegationToken, readTokenExpiry],
  [ApiKey.expireDelegationToken, readTokenExpiry],
  [ApiKey.describeDelegationToken, readDescribedTokens],
  [ApiKey.describeCluster, readDescribeCluster],
  [ApiKey.shareFetch, readShareFetch],
  [ApiKey.shareAcknowledge, readShareAcknowledge],
]);

/** Length and correlation id. */
export const ANSWER_HEAD_BYTES = 8;
/** So many bytes of an answer tell its throttle time if that stands at the beginning of the body. */
export const TELLING_BYTES = ANSWER_HEAD_BYTES + 1 + 2 + 4;
const FIRST_FETCH_WITH_ENDPOINTS = 16;

/** The answer cannot be passed on by what its first bytes say. */
export function mustBeWhole(apiKey: number, version: number): boolean {
  const api = APIS[apiKey];
  if (api === undefined || version > api.maxVersion) return false;
  if (apiKey === ApiKey.produce) return version >= 1;
  return READERS.has(apiKey);
}

/** The answer carries records, and may name brokers behind them: it is followed while it passes. */
export function mustBeFollowed(apiKey: number, version: number): boolean {
  return apiKey === ApiKey.fetch && version >= FIRST_FETCH_WITH_ENDPOINTS && version <= (APIS[apiKey]?.maxVersion ?? 0);
}

/** Looks into a whole answer of those that must be whole. @throws {MalformedError} */
export function readAnswer(apiKey: number, version: number, bytes: Buffer, start: number, end: number): Findings {
  const reader = READERS.get(apiKey);
  if (reader === undefined) throw new MalformedError(`nothing is known of api ${apiKey}`);
  const flexible = version >= (APIS[apiKey]?.firstFlexible ?? Number.POSITIVE_INFINITY);
  const cursor = new Cursor(bytes, start + ANSWER_HEAD_BYTES, end, flexible);
  cursor.skipTags(); // of the header
  return reader(cursor, version);
}

/** The throttle time at the beginning of an answer's body; 0 if there is none, or it stands elsewhere. */
export function throttleAhead(
  api: Api | undefined,
  version: number,
  bytes: Buffer,
  start: number,
  end: number,
): number {
  if (api === undefined || version < api.throttleFrom || version > api.maxVersion) return 0;
  if (api.throttle !== 'first' && api.throttle !== 'afterError') return 0;
  const headerTags = version >= api.firstFlexible ? 1 : 0;
  const at = start + ANSWER_HEAD_BYTES + headerTags + (api.throttle === 'afterError' ? 2 : 0);
  if (headerTags === 1 && bytes[start + ANSWER_HEAD_BYTES] !== 0) return 0; // no version known to us has tags there
  return at + 4 <= end ? Math.max(0, bytes.readInt32BE(at)) : 0;
}
