/**
 * The end of a sidecar: keep serving while the application still may need it (it may flush over new sockets during its own
 * shutdown), then finish what is in flight, say goodbye to idle clients, and to the brokers last.
 */
import type { Clock } from './clock.ts';
import type { Route } from './route.ts';

/** The end of the grace that is kept for what is in flight. */
const FINISH_SECONDS = 5;
/** After our FINs: how long the peers may take to send theirs. */
const FAREWELL_MILLISECONDS = 1500;

/** Resolves when every route has stopped. */
export async function shutDown(routes: readonly Route[], clock: Clock): Promise<void> {
  await Promise.all(routes.map((route) => shutDownRoute(route, clock)));
}

async function shutDownRoute(route: Route, clock: Clock): Promise<void> {
  const grace = route.options.shutdownGraceSeconds;
  await within(route.emptied(), Math.max(0, grace - FINISH_SECONDS) * 1000, clock);
  await route.drain();
  await within(route.emptied(), Math.min(grace, FINISH_SECONDS) * 1000, clock);
  await route.stop();
  await within(route.pools.emptied(), FAREWELL_MILLISECONDS, clock);
}

function within(done: Promise<void>, milliseconds: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(milliseconds, resolve);
    void done.then(() => {
      timer.cancel();
      resolve();
    });
  });
}
