/** What is written together: a write costs more than all else that is done for a short piece, and copying a long one costs more. */
const COPIED_BYTES = 64 * 1024;

/**
 * @param parts in their order, `bytes` long together
 * @returns the same bytes in the same order, in as few pieces as pay
 */
export function joined(parts: readonly Buffer[], bytes: number): readonly Buffer[] {
  return parts.length > 1 && bytes <= COPIED_BYTES ? [Buffer.concat(parts, bytes)] : parts;
}
