/** Looks at the routes and steers them. GET never changes anything. */
import type { Clock } from '../core/clock.ts';
import type { RouteControl } from '../core/views.ts';
import { AdminError } from './admin-error.ts';
import { AdminFileError } from './admin-file-error.ts';
import { ADMIN_ENDPOINTS } from './endpoints.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { Guard } from './guard.ts';
import {
  type AdminLog,
  createServer,
  type ListenAddress,
  type Listener,
  listenOn,
  type Server,
} from './http-server.ts';
import { isLoopback } from './loopback.ts';
import type { Bounds, ListenerTls } from './node-servers.ts';
import type { Readiness } from './readiness.ts';
import {
  accept,
  clientsQuery,
  deleteQuery,
  logLevelBody,
  noQuery,
  reapBody,
  routesQuery,
  upstreamsQuery,
} from './requests.ts';
import { TokenFile } from './token-file.ts';

/** How much is logged; the log of `telemetry` fits. */
export interface LevelControl {
  readonly levels: readonly string[];
  readonly level: string;
  setLevel(level: string): void;
}

export interface AdminOptions {
  readonly listen: ListenAddress;
  /** Holds the token that changes are asked for with, and everything on an address beyond loopback. */
  readonly tokenFile?: string | undefined;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls | undefined;
  readonly bounds?: Partial<Bounds> | undefined;
  readonly clock: Pick<Clock, 'after'>;
  readonly version: string;
  /** The routes that run, asked at every request. */
  readonly routes: () => readonly RouteControl[];
  /** The configuration in effect, without secrets. */
  readonly config: () => unknown;
  /** What happened lately, newest first. */
  readonly recent: () => readonly unknown[];
  readonly readiness: Readiness;
  readonly level: LevelControl;
  readonly log: AdminLog;
}

/**
 * @throws {AddressError} if the address cannot be bound
 * @throws {AdminFileError} if a token is needed and there is none, or its file or the certificate cannot be used
 */
export async function startAdminListener(options: AdminOptions): Promise<Listener> {
  const { listen, log, clock } = options;
  const exposed = !isLoopback(listen.host);
  const token = options.tokenFile === undefined ? null : await TokenFile.open(options.tokenFile, log);
  if (exposed && token === null) {
    throw new AdminFileError('admin.tokenFile', `is needed, for ${listen.host} is not loopback`);
  }
  const created = create(options);
  const { app: server, scheme } = created;
  const guard = new Guard({ exposed, scheme, token, attempts: new FailedAttempts(clock, log) });
  const started = { at: new Date().toISOString(), monotonic: performance.now() };
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    await guard.check(request);
  });

  server.get('/v1/routes', async (request) => {
    const { route } = accept(routesQuery, request.query);
    const routes = select(options.routes(), route).map((each) => each.view());
    return { routes, recent: options.recent() };
  });
  server.get('/v1/upstreams', async (request) => {
    const { route, limit, ...wanted } = accept(upstreamsQuery, request.query);
    const all = select(options.routes(), route).flatMap((each) => each.upstreams());
    const found = all.filter((upstream) => fits(upstream, wanted));
    return { total: found.length, upstreams: found.slice(0, limit) };
  });
  server.get('/v1/clients', async (request) => {
    const { route, limit, ...wanted } = accept(clientsQuery, request.query);
    const all = select(options.routes(), route).flatMap((each) => each.clients());
    const found = all.filter((client) => fits(client, wanted));
    return { total: found.length, clients: found.slice(0, limit) };
  });
  server.get('/v1/config', async (request) => {
    accept(noQuery, request.query);
    return options.config();
  });
  server.get('/v1/version', async (request) => {
    accept(noQuery, request.query);
    return {
      version: options.version,
      node: process.version,
      state: options.readiness.state,
      startedAt: started.at,
      uptimeSeconds: Math.round(performance.now() - started.monotonic) / 1000,
      logLevel: options.level.level,
    };
  });

  server.post('/v1/reap', async (request) => {
    accept(noQuery, request.query);
    const { route, ...reap } = accept(reapBody, request.body ?? {});
    const reports = await Promise.all(select(options.routes(), route).map((each) => each.reap(reap)));
    const report = {
      chosen: reports.flatMap(({ chosen }) => chosen),
      matched: sum(reports.map(({ matched }) => matched)),
      released: sum(reports.map(({ released }) => released)),
      skipped: reports.flatMap(({ skipped }) => skipped),
      failed: sum(reports.map(({ failed }) => failed)),
    };
    if (!reap.dryRun) {
      options.log.info({ route, ...reap, ...report, skipped: report.skipped.length }, 'an operator asked for a reap');
    }
    return report;
  });
  server.delete<{ Params: { id: string } }>('/v1/upstreams/:id', async (request, reply) => {
    const { id } = request.params;
    const force = accept(deleteQuery, request.query).force === 'true';
    const found = options.routes().some((route) => route.condemnUpstream(id, force));
    if (!found) throw new AdminError('UPSTREAM_UNKNOWN', `there is no upstream ${id}`);
    options.log.info({ upstream: id, force }, 'an operator condemned an upstream');
    return reply.code(202).send({ id, condemned: true, force });
  });
  server.delete<{ Params: { id: string } }>('/v1/clients/:id', async (request, reply) => {
    accept(noQuery, request.query);
    const { id } = request.params;
    const found = options.routes().some((route) => route.closeClient(id));
    if (!found) throw new AdminError('CLIENT_UNKNOWN', `there is no client ${id}`);
    options.log.info({ client: id }, 'an operator closed a client');
    return reply.code(202).send({ id, closed: true });
  });
  server.put('/v1/log-level', async (request) => {
    accept(noQuery, request.query);
    const { level } = accept(logLevelBody, request.body);
    const { levels, level: previous } = options.level;
    if (!levels.includes(level)) throw new AdminError('REQUEST_INVALID', `level: use one of ${levels.join(', ')}`);
    options.level.setLevel(level);
    options.log.info({ level, previous }, 'an operator changed the log level');
    return { level, previous };
  });
  return listenOn(created, 'admin.listen', listen);
}

/** @throws {AdminFileError} */
function create({ log, tls, bounds }: AdminOptions): Server {
  try {
    return createServer({ endpoints: ADMIN_ENDPOINTS, log, tls, bounds });
  } catch (error) {
    if (tls === undefined) throw error;
    const why = error instanceof Error ? error.message : 'an unknown error';
    throw new AdminFileError('admin.tls', `the certificate and its key cannot be used: ${why}`, { cause: error });
  }
}

/** @throws {AdminError} ROUTE_UNKNOWN */
function select(routes: readonly RouteControl[], name: string | undefined): readonly RouteControl[] {
  if (name === undefined) return routes;
  const selected = routes.filter((route) => route.name === name);
  if (selected.length > 0) return selected;
  const names = routes.map((route) => route.name).join(', ');
  throw new AdminError('ROUTE_UNKNOWN', `there is no route ${JSON.stringify(name)}; there are: ${names}`);
}

interface Wanted {
  readonly broker?: string | undefined;
  readonly state?: string | undefined;
}

function fits(view: { readonly broker: string | null; readonly state: string }, wanted: Wanted): boolean {
  const { broker = view.broker, state = view.state } = wanted;
  return view.broker === broker && view.state === state;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
