/** Ports for a sidecar of the demo: one block in a row, and the admin port that readers expect if it is free. */
import net from 'node:net';

const FIRST = 20_000;
const LAST = 30_000;

/** Listens for a moment. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @returns the first of `count` free ports in a row, and an admin port */
export async function freePorts(count: number, preferredAdmin: number): Promise<{ base: number; admin: number }> {
  for (let base = FIRST; base < LAST; base += count + 1) {
    const block = Array.from({ length: count + 1 }, (_, index) => base + index);
    const free = await Promise.all(block.map(isFree));
    if (!free.every(Boolean)) continue;
    return { base, admin: (await isFree(preferredAdmin)) ? preferredAdmin : base + count };
  }
  throw new Error(`no ${count} free ports in a row from ${FIRST} to ${LAST}`);
}
