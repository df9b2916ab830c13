/** The wiring: the only place that knows every part. What it makes knows nothing of it. */

import { AddressError } from './admin/address-error.ts';
import { AdminFileError } from './admin/admin-file-error.ts';
import { startAdminListener } from './admin/admin-listener.ts';
import { startHealthListener } from './admin/health-listener.ts';
import type { Listener } from './admin/http-server.ts';
import { Readiness } from './admin/readiness.ts';
import { parseAddress } from './config/address.ts';
import { parseCredentials } from './config/credentials.ts';
import { type EffectiveRoute, effectiveRoutes } from './config/effective.ts';
import { multiplexingOf, passesOnCredentials } from './config/multiplexing.ts';
import { publicConfig } from './config/public.ts';
import type { Config } from './config/schema.ts';
import { securityWarnings } from './config/security-warnings.ts';
import { systemClock } from './core/clock.ts';
import type { CoreEvent } from './core/events.ts';
import { Route } from './core/route.ts';
import { LiveRouteControl } from './core/route-control.ts';
import type { RouteParts } from './core/route-parts.ts';
import { shutDown } from './core/shutdown.ts';
import { tcpNetwork } from './core/socket-wire.ts';
import type { RouteControl } from './core/views.ts';
import { type AdminTls, openAdminTls } from './identity/admin-tls.ts';
import { FileWatch } from './identity/file-watch.ts';
import type { RouteIdentities } from './identity/identities.ts';
import { IdentityError } from './identity/identity-error.ts';
import { openIdentities } from './identity/open.ts';
import { PassedIdentities } from './identity/passed.ts';
import { protocolNamed } from './protocols/registry.ts';
import { StateFile } from './state-file.ts';
import { EventLog } from './telemetry/event-log.ts';
import { History } from './telemetry/history.ts';
import { LOG_LEVELS, Log, type LogLevel } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { version } from './version.ts';

export { AddressError, AdminFileError, IdentityError };

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
 * @throws {IdentityError} if a file of a route's credentials or certificates, or of the admin listener's, is of no use
 * @throws {AdminFileError} if the token or the certificate of the admin listener cannot be used
 */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = new Log({ ...config.log, ...(options.writeLog === undefined ? {} : { write: options.writeLog }) });
  const effective = effectiveRoutes(config);
  const routes: Route[] = [];
  const controls: RouteControl[] = [];
  const identities = new Map<string, RouteIdentities>();
  const stateFiles: StateFile[] = [];
  const watch = new FileWatch(systemClock);
  let adminTls: AdminTls | undefined;
  const history = new History();
  const metrics = new Metrics(
    effective.map(({ name }) => name),
    () => controls,
    () => [
      ...[...identities].flatMap(([route, each]) => each.certificates().map((found) => ({ route, ...found }))),
      ...(adminTls?.certificates() ?? []).map((found) => ({ route: '', ...found })),
    ],
  );
  const eventLog = new EventLog(log.logger, systemClock);
  const observe = (event: CoreEvent): void => {
    metrics.observe(event);
    history.observe(event);
    eventLog.observe(event);
  };
  const readiness = new Readiness(
    () => controls,
    (route) => history.lastDialFailure(route),
  );
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await Promise.all(stateFiles.map((file) => file.close()));
    await watch.close();
  };
  try {
    for (const [index, each] of effective.entries()) {
      identities.set(each.name, await identitiesOf(each, `routes[${index}]`, watch, observe));
    }
    if (config.admin.tls !== undefined) adminTls = await openAdminTls(config.admin.tls, adminTlsParts(watch, log));
    for (const detail of securityWarnings(config)) log.logger.warn({ detail }, 'the configuration leaves a door open');
    for (const [index, each] of effective.entries()) {
      const known = identities.get(each.name);
      const state = await stateFileOf(each, log);
      if (state !== null) stateFiles.push(state.file);
      const protocol = protocolNamed(each.protocol);
      const route = new Route({
        options: each,
        protocol,
        clock: systemClock,
        network: tcpNetwork,
        observe,
        random: Math.random,
        saslPassThrough: each.upstream.saslPassThrough,
        subjectIsUser: each.listenTls?.subjectIsUser ?? false,
        ...(known === undefined ? {} : partsOf(each, known)),
        ...(state === null ? {} : state.parts),
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
      tokenFile: config.admin.tokenFile,
      tls: adminTls,
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
        await close();
        log.logger.info('stopped');
        await log.flush();
      },
    };
  } catch (error) {
    for (const route of routes) await route.stop();
    await close();
    throw error;
  }
}

/** Rejects with an IdentityError. */
function identitiesOf(
  route: EffectiveRoute,
  key: string,
  watch: FileWatch,
  observe: (event: CoreEvent) => void,
): Promise<RouteIdentities> {
  return openIdentities(route, {
    watch,
    key,
    parseUsers: parseCredentials,
    told: (identity, change, detail) =>
      observe({ type: 'identity.changed', route: route.name, identity, change, detail }),
  });
}

type IdentityParts = Pick<RouteParts, 'identities' | 'users' | 'listenTls' | 'multiplexing'>;

function partsOf(route: EffectiveRoute, known: RouteIdentities): IdentityParts {
  const { users, listenTls } = known;
  const passed = passesOnCredentials(route) ? new PassedIdentities(known, systemClock) : null;
  return {
    identities: passed ?? known,
    multiplexing: multiplexingOf(route, passed),
    ...(users === null ? {} : { users }),
    ...(listenTls === undefined ? {} : { listenTls }),
  };
}

interface RouteState {
  readonly file: StateFile;
  readonly parts: Pick<RouteParts, 'remembered' | 'remember'>;
}

async function stateFileOf({ name, stateFile }: EffectiveRoute, log: Log): Promise<RouteState | null> {
  if (stateFile === null) return null;
  const file = new StateFile(stateFile, systemClock, (detail) =>
    log.logger.warn({ route: name, detail }, 'the last map of a cluster is not kept'),
  );
  const remembered = await file.read();
  return {
    file,
    parts: {
      ...(remembered === undefined ? {} : { remembered }),
      remember: (topology) => file.remember(topology),
    },
  };
}

function adminTlsParts(watch: FileWatch, log: Log): Parameters<typeof openAdminTls>[1] {
  return {
    clock: systemClock,
    watch,
    told: (change, detail) => {
      if (change === 'read') log.logger.info({ detail }, 'the certificate of the admin listener was read anew');
      else
        log.logger.error({ detail }, 'the certificate of the admin listener is of no use, the last one stays in force');
    },
  };
}
