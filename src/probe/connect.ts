/** Every route of a configuration, dialled. */
import { effectiveRoutes } from '../config/effective.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { tcpNetwork } from '../core/socket-wire.ts';
import { FileWatch } from '../identity/file-watch.ts';
import { openRouteIdentities } from './files.ts';
import { type ProbedRoute, probeRoute } from './route-probe.ts';

/** All routes at a time. Rejects with an IdentityError if a file that a route needs is of no use. */
export async function probeConfig(config: Config): Promise<readonly ProbedRoute[]> {
  const watch = new FileWatch(systemClock);
  try {
    return await Promise.all(
      effectiveRoutes(config).map(async (route, index) => {
        let users: readonly string[] = [];
        const identities = await openRouteIdentities(route, index, watch, (names) => {
          users = names;
        });
        return await probeRoute(route, { clock: systemClock, network: tcpNetwork, identities, users });
      }),
    );
  } finally {
    await watch.close();
  }
}
