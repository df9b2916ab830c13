/** The wiring: the only place that knows every part. What it makes knows nothing of it. */

import { AddressError } from './admin/address-error.ts';
import { AdminFileError } from './admin/admin-file-error.ts';
import { startAdminListener } from './admin/admin-listener.ts';
import { startHealthListener } from './admin/health-listener.ts';
import type { Listener } from './admin/http-server.ts';
import { Readiness } from './admin/readiness.ts';
import { parseAddress } from './config/address.ts';
import { effectiveRoutes } from './config/effective.ts';
import { publicConfig } from './config/public.ts';
import type { Config } from './config/schema.ts';
import { systemClock } from './core/clock.ts';
import type { CoreEvent } from './core/events.ts';
import { Route } from './core/route.ts';
import { LiveRouteControl } from './core/route-control.ts';
import { shutDown } from './core/shutdown.ts';
import { tcpNetwork } from './core/socket-wire.ts';
import type { RouteControl } from './core/views.ts';
import { protocolNamed } from './protocols/registry.ts';
import { EventLog } from './telemetry/event-log.ts';
import { History } from './telemetry/history.ts';
import { LOG_LEVELS, Log, type LogLevel } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { version } from './version.ts';

export { AddressError, AdminFileError };

export interface AppOptions {
  /** Where log lines go; standard output if absent. */
  readonly writeLog?: (line: string) => void;
}

export interface App {
  readonly routes: readonly RouteControl[];
  readonly adminUrl: string | null;
  readonly healthUrl: string | null;
  readonly log: Log;
  /** Graceful: serves while clients need it, at most for `shutdownGraceSeconds`. */
  stop(): Promise<void>;
}

/**
 * @throws {AddressError} if `listen`, `admin.listen` or `health.listen` cannot be bound
 * @throws {AdminFileError} if the token or the certificate of the admin listener cannot be used
 */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = new Log({ ...config.log, ...(options.writeLog === undefined ? {} : { write: options.writeLog }) });
  const effective = effectiveRoutes(config);
  const routes: Route[] = [];
  const controls: RouteControl[] = [];
  const history = new History();
  const metrics = new Metrics(
    effective.map(({ name }) => name),
    () => controls,
  );
  const eventLog = new EventLog(log.logger, systemClock);
  const observe = (event: CoreEvent): void => {
    metrics.observe(event);
    history.observe(event);
    eventLog.observe(event);
  };
  const readiness = new Readiness(() => controls);
  const listeners: Listener[] = [];
  const closeListeners = (): Promise<unknown> => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const [index, each] of effective.entries()) {
      const protocol = protocolNamed(each.protocol);
      const route = new Route({
        options: each,
        protocol,
        clock: systemClock,
        network: tcpNetwork,
        observe,
        random: Math.random,
      });
      await route.start().catch((error: unknown) => {
        throw new AddressError(`routes[${index}].listen`, `${each.listen.host}:${each.listen.port}`, error);
      });
      routes.push(route);
      controls.push(new LiveRouteControl(route));
    }
    const shared = { readiness, log: log.logger };
    const health = await startHealthListener({ ...shared, listen: parseAddress(config.health.listen), metrics });
    listeners.push(health);
    const admin = await startAdminListener({
      ...shared,
      listen: parseAddress(config.admin.listen),
      clock: systemClock,
      version: version(),
      routes: () => controls,
      config: () => publicConfig(config),
      recent: () => history.recent(),
      level: {
        levels: LOG_LEVELS,
        get level() {
          return log.level;
        },
        setLevel: (level) => log.setLevel(level as LogLevel),
      },
    });
    listeners.push(admin);
    log.logger.info({ routes: controls.map(({ name }) => name), admin: admin.url, health: health.url }, 'started');
    return {
      routes: controls,
      adminUrl: admin.url,
      healthUrl: health.url,
      log,
      stop: async () => {
        readiness.stop();
        log.logger.info('shutting down');
        await shutDown(routes, systemClock);
        await closeListeners();
        log.logger.info('stopped');
        await log.flush();
      },
    };
  } catch (error) {
    for (const route of routes) await route.stop();
    await closeListeners();
    throw error;
  }
}
