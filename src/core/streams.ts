/** Opaque streams, both sides of which idle together: what the detector looks at, and closes. */
import { Client } from './client.ts';
import type { SilentStream } from './reaper.ts';
import type { RouteClient } from './route-client.ts';

const DETAIL = 'no byte for connectionMaxIdleSeconds';

export function* openStreams(clients: Iterable<RouteClient>): Generator<SilentStream> {
  for (const client of [...clients]) {
    if (!(client instanceof Client) || client.upstream === null) continue;
    const { upstream, lender } = client;
    const close = (): void => {
      lender?.release(upstream, 'idle', DETAIL);
      client.close('idle', DETAIL, 'end');
    };
    yield { upstream, close };
  }
}
