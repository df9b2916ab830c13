/**
 * Responses about delegation tokens (KIP-48, KIP-373): their throttle time stands behind all else but the tagged fields.
 *
 *   Token: PrincipalType, PrincipalName, v3+ TokenRequesterPrincipalType, v3+ TokenRequesterPrincipalName,
 *     IssueTimestampMs, ExpiryTimestampMs, MaxTimestampMs int64, TokenId string, Hmac bytes
 *
 *   Create, 0 to 3: ErrorCode int16; Token; ThrottleTimeMs int32; v2+ tags
 *   Renew and Expire, 0 to 2: ErrorCode int16; ExpiryTimestampMs int64; ThrottleTimeMs int32; v2+ tags
 *   Describe, 0 to 3: ErrorCode int16; Tokens [] { Token, Renewers [] { PrincipalType, PrincipalName, v2+ tags }, v2+ tags };
 *     ThrottleTimeMs int32; v2+ tags
 */
import type { Cursor } from './cursor.ts';
import { type Findings, plainFindings } from './findings.ts';

const ERROR_BYTES = 2;
const TIMESTAMP_BYTES = 8;
const FIRST_WITH_REQUESTER = 3;

export function readCreatedToken(cursor: Cursor, version: number): Findings {
  cursor.skip(ERROR_BYTES);
  skipToken(cursor, version);
  return plainFindings(cursor.int32());
}

export function readTokenExpiry(cursor: Cursor): Findings {
  cursor.skip(ERROR_BYTES + TIMESTAMP_BYTES);
  return plainFindings(cursor.int32());
}

export function readDescribedTokens(cursor: Cursor, version: number): Findings {
  cursor.skip(ERROR_BYTES);
  for (let tokens = cursor.arrayLength(); tokens > 0; tokens -= 1) {
    skipToken(cursor, version);
    for (let renewers = cursor.arrayLength(); renewers > 0; renewers -= 1) {
      cursor.skipString();
      cursor.skipString();
      cursor.skipTags();
    }
    cursor.skipTags();
  }
  return plainFindings(cursor.int32());
}

function skipToken(cursor: Cursor, version: number): void {
  cursor.skipString();
  cursor.skipString();
  if (version >= FIRST_WITH_REQUESTER) {
    cursor.skipString();
    cursor.skipString();
  }
  cursor.skip(3 * TIMESTAMP_BYTES);
  cursor.skipString();
  cursor.skipBytes();
}
