/** What both listeners have in common: small limits, short time-outs, errors in one shape, no logging of requests. */
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { AddressError } from './address-error.ts';
import { AdminError } from './admin-error.ts';
import { type Endpoint, methodsAt } from './endpoints.ts';

const MAX_BODY_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
const KEEP_ALIVE_MILLISECONDS = 5_000;

/** A host name or address without brackets, and a port; 0 takes any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What of a logger is needed here; pino's fits. */
export interface AdminLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Listener {
  /** Where it can be reached; a wildcard address is given as 127.0.0.1. */
  readonly url: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

export function createServer(endpoints: readonly Endpoint[], log: AdminLog) {
  const server = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    connectionTimeout: REQUEST_TIMEOUT_MILLISECONDS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = answerTo(error, log);
      reply.hijack();
      reply.raw.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    },
  });
  // Fastify reads text/plain too, which a page of another site may send without being asked first.
  server.removeContentTypeParser('text/plain');
  server.server.maxConnections = MAX_CONNECTIONS;
  server.setErrorHandler((error, _request, reply) => {
    const { status, body } = answerTo(error, log);
    void reply.code(status).send(body);
  });
  server.setNotFoundHandler((request, reply) => {
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
  return server;
}

export type Server = ReturnType<typeof createServer>;

/** @param key of the configuration, for the error @throws {AddressError} if the address cannot be bound */
export async function listenOn(server: Server, key: string, { host, port }: ListenAddress): Promise<Listener> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw new AddressError(key, `${bracketed(host)}:${port}`, error);
  }
  return { url: urlOf(server.server.address()), close: () => server.close() };
}

function urlOf(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === 'string')
    throw new TypeError('a listener of ours is bound to a host and a port');
  const address = ['0.0.0.0', '::'].includes(bound.address) ? '127.0.0.1' : bound.address;
  return `http://${bracketed(address)}:${bound.port}`;
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
  if (error.statusCode === 415) return new AdminError('MEDIA_TYPE_UNSUPPORTED', error.message);
  return new AdminError('REQUEST_INVALID', error.message);
}
