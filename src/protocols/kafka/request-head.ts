/**
 * Looks into the head of a request, as far as it has arrived.
 *
 *   int32 size; int16 api_key; int16 api_version; int32 correlation_id; NULLABLE_STRING client_id (never compact);
 *   from the first flexible version on: tagged fields
 *
 * Positions are absolute; every function answers -1 while it lacks bytes. Nothing here throws or allocates.
 */

export const SIZE_BYTES = 4;
/** Up to the correlation id, the size included. */
export const FIXED_HEAD_BYTES = 12;
/** After the size, the least that a request can have: key, version and correlation id. */
export const SMALLEST_REQUEST_BYTES = 8;
export const LACKING = -1;

/** Behind the client id. */
export function afterClientId(bytes: Buffer, start: number, end: number): number {
  return afterString(bytes, start + FIXED_HEAD_BYTES, end, false);
}

/** Behind the whole header. */
export function afterHeader(bytes: Buffer, start: number, end: number, flexible: boolean): number {
  const at = afterClientId(bytes, start, end);
  return at === LACKING || !flexible ? at : afterTags(bytes, at, end);
}

/** Behind a nullable string, compact or not. */
export function afterString(bytes: Buffer, at: number, end: number, compact: boolean): number {
  if (compact) {
    const length = uvarintAt(bytes, at, end);
    if (length === LACKING) return LACKING;
    return within(uvarintEnd(bytes, at) + Math.max(0, length - 1), end);
  }
  if (at + 2 > end) return LACKING;
  return within(at + 2 + Math.max(0, bytes.readInt16BE(at)), end);
}

function afterTags(bytes: Buffer, at: number, end: number): number {
  let left = uvarintAt(bytes, at, end);
  let next = left === LACKING ? LACKING : uvarintEnd(bytes, at);
  for (; next !== LACKING && left > 0; left -= 1) {
    if (uvarintAt(bytes, next, end) === LACKING) return LACKING;
    const sizeAt = uvarintEnd(bytes, next);
    const size = uvarintAt(bytes, sizeAt, end);
    if (size === LACKING) return LACKING;
    next = within(uvarintEnd(bytes, sizeAt) + size, end);
  }
  return next;
}

export function int16At(bytes: Buffer, at: number, end: number): number | undefined {
  return at === LACKING || at + 2 > end ? undefined : bytes.readInt16BE(at);
}

export function int32At(bytes: Buffer, at: number, end: number): number | undefined {
  return at === LACKING || at + 4 > end ? undefined : bytes.readInt32BE(at);
}

function within(at: number, end: number): number {
  return at <= end ? at : LACKING;
}

function uvarintAt(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  for (let index = 0; index < 5 && at + index < end; index += 1) {
    const byte = bytes[at + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  return LACKING;
}

/** Behind a number that is complete; it may be longer than it needs to be. */
function uvarintEnd(bytes: Buffer, at: number): number {
  let last = at;
  while ((bytes[last] ?? 0) >= 0x80) last += 1;
  return last + 1;
}
