/** Replacements inside a frame. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/**
 * A copy of the frame `bytes[start, end)` with the replacements made and its length corrected.
 *
 * @param edits in ascending order, not overlapping, behind the length
 */
export function applyEdits(bytes: Buffer, start: number, end: number, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = start;
  for (const edit of edits) {
    parts.push(bytes.subarray(at, edit.from), edit.bytes);
    at = edit.to;
  }
  parts.push(bytes.subarray(at, end));
  const frame = Buffer.concat(parts);
  frame.writeInt32BE(frame.length - 4);
  return frame;
}
