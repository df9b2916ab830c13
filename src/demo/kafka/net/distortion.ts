import type { RequestPlan } from './requests.ts';

const SIZE_AT = 0;
const CORRELATION_AT = 4;
const LARGEST_SIZE = 2 ** 31 - 1;

/** What of an answer goes out, and what follows. */
export function distort(
  answer: Buffer,
  { closeAfterBytes, resetAfterBytes, corrupt }: RequestPlan,
): { readonly sent: Buffer; readonly ending: 'none' | 'close' | 'reset' } {
  if (closeAfterBytes !== undefined) return { sent: answer.subarray(0, closeAfterBytes), ending: 'close' };
  if (resetAfterBytes !== undefined) return { sent: answer.subarray(0, resetAfterBytes), ending: 'reset' };
  if (corrupt === undefined) return { sent: answer, ending: 'none' };
  const sent = Buffer.from(answer);
  if (corrupt === 'correlation') sent.writeInt32BE(~sent.readInt32BE(CORRELATION_AT), CORRELATION_AT);
  else sent.writeInt32BE(corrupt === 'length' ? LARGEST_SIZE : -1, SIZE_AT);
  return { sent, ending: 'none' };
}
