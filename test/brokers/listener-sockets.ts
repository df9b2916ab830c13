/**
 * How many connections a listener holds, read from the kernel's tables: the same that `ss` prints, without a process
 * for each look. Columns of /proc/net/tcp: sl, local_address (hex address:port), rem_address, st, ...
 */
import { readFileSync } from 'node:fs';

/** States in which the listening side still holds a descriptor: ESTABLISHED and CLOSE_WAIT. */
const HELD = new Set(['01', '08']);

/** Connections held at each of these local ports. */
export function connectionsAt(ports: readonly number[]): Map<number, number> {
  const counts = new Map(ports.map((port) => [port, 0]));
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readTable(table).split('\n').slice(1)) {
      const [, local, , state] = line.trim().split(/\s+/, 4);
      if (local === undefined || state === undefined || !HELD.has(state)) continue;
      const port = Number.parseInt(local.slice(local.indexOf(':') + 1), 16);
      const count = counts.get(port);
      if (count !== undefined) counts.set(port, count + 1);
    }
  }
  return counts;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    // A kernel without IPv6 has no tcp6 table.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && path.endsWith('6')) return '';
    throw error;
  }
}
