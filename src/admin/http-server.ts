/** What both listeners have in common: small limits, short time-outs, errors in one shape, no logging of requests. */
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { AddressError } from './address-error.ts';
import { AdminError } from './admin-error.ts';
import { type Endpoint, methodsAt } from './endpoints.ts';
import { answerClientError, BOUNDS, type Bounds, type ListenerTls, NodeServers } from './node-servers.ts';

const MAX_BODY_BYTES = 16 * 1024;
const MAX_URL_CHARACTERS = 2048;
/** `localhost` means both loopback addresses; a machine without IPv6 has one. */
const LOCALHOST = ['127.0.0.1', '::1'] as const;

/** A host name or address without brackets, and a port; 0 takes any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What of a logger is needed here; pino's fits. */
export interface AdminLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Listener {
  /** Where it can be reached; a wildcard address is given as 127.0.0.1. */
  readonly url: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly endpoints: readonly Endpoint[];
  readonly log: AdminLog;
  readonly tls?: ListenerTls | undefined;
  readonly bounds?: Partial<Bounds> | undefined;
}

/** @throws what `tls.current` throws, or OpenSSL if it cannot be used */
export function createServer({ endpoints, log, tls, bounds = {} }: ServerOptions) {
  const sockets = new NodeServers(tls, { ...BOUNDS, ...bounds });
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    clientErrorHandler: answerClientError,
    serverFactory: (handler) => sockets.first(handler),
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = answerTo(error, log);
      reply.hijack();
      reply.raw.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    },
  });
  // Fastify reads text/plain too, which a page of another site may send without being asked first.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (request.url.length > MAX_URL_CHARACTERS) throw new AdminError('URL_TOO_LONG', 'the URL is too long');
  });
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = answerTo(error, log);
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 429) reply.header('retry-after', '1');
    void reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methodsAt(endpoints, path);
    const error =
      allowed.length === 0
        ? new AdminError('NOT_FOUND', 'there is no such endpoint')
        : new AdminError('METHOD_NOT_ALLOWED', `${path} does not know the method ${request.method}`);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    const list = endpoints.map((endpoint) => `${endpoint.method} ${endpoint.path}`);
    void reply.code(error.status).send({ ...error.body(), endpoints: list });
  });
  tls?.onChange(() => {
    try {
      sockets.renew();
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'an unknown error';
      log.warn({ detail }, 'the new certificate of the admin listener cannot be used, the last one is shown');
    }
  });
  return { app, sockets, scheme: tls === undefined ? ('http' as const) : ('https' as const) };
}

export type Server = ReturnType<typeof createServer>;

/** @param key of the configuration, for the error @throws {AddressError} if the address cannot be bound */
export async function listenOn(server: Server, key: string, { host, port }: ListenAddress): Promise<Listener> {
  const { app, sockets, scheme } = server;
  const [first, second] = host.toLowerCase() === 'localhost' ? LOCALHOST : [host];
  const close = async (): Promise<void> => {
    await sockets.closeSecond();
    await app.close();
  };
  try {
    await app.listen({ host: first, port });
    const bound = addressOf(app.server.address());
    if (second !== undefined) await sockets.bindSecond(second, bound.port);
    return { url: urlOf(scheme, bound), close };
  } catch (error) {
    await close();
    throw new AddressError(key, `${bracketed(host)}:${port}`, error);
  }
}

function addressOf(bound: AddressInfo | string | null): AddressInfo {
  if (bound !== null && typeof bound !== 'string') return bound;
  throw new TypeError('a listener of ours is bound to a host and a port');
}

function urlOf(scheme: string, bound: AddressInfo): string {
  const address = ['0.0.0.0', '::'].includes(bound.address) ? '127.0.0.1' : bound.address;
  return `${scheme}://${bracketed(address)}:${bound.port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function answerTo(error: unknown, log: AdminLog): { status: number; body: object } {
  const known = error instanceof AdminError ? error : fromFramework(error);
  if (known !== undefined) return { status: known.status, body: known.body() };
  log.error({ err: error }, 'a request to a listener of ours failed');
  const unknown = new AdminError('INTERNAL', 'the request failed unexpectedly');
  return { status: unknown.status, body: unknown.body() };
}

/** Errors of fastify that are the fault of the request. */
function fromFramework(error: unknown): AdminError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  if (typeof error.statusCode !== 'number' || error.statusCode >= 500) return undefined;
  if (error.statusCode === 413) return new AdminError('BODY_TOO_LARGE', error.message);
  if (error.statusCode === 414) return new AdminError('URL_TOO_LONG', 'a part of the path is too long');
  if (error.statusCode === 415) return new AdminError('MEDIA_TYPE_UNSUPPORTED', error.message);
  return new AdminError('REQUEST_INVALID', error.message);
}
