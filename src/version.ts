/** The version of this package, from its package.json, which lies beside `src/` and beside `dist/` alike. */
import { readFileSync } from 'node:fs';

export function version(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('version' in parsed))
    throw new Error('package.json is broken');
  return String(parsed.version);
}
