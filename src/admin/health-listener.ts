/** Probes and metrics. None of them dials a broker, and none changes anything. */
import { HEALTH_ENDPOINTS } from './endpoints.ts';
import { type AdminLog, createServer, type ListenAddress, type Listener, listenOn } from './http-server.ts';
import type { Bounds } from './node-servers.ts';
import type { Readiness } from './readiness.ts';

export interface HealthOptions {
  readonly listen: ListenAddress;
  readonly readiness: Readiness;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  readonly log: AdminLog;
  readonly bounds?: Partial<Bounds> | undefined;
}

/** @throws {AddressError} if the address cannot be bound */
export async function startHealthListener(options: HealthOptions): Promise<Listener> {
  const { readiness, metrics } = options;
  const created = createServer({ endpoints: HEALTH_ENDPOINTS, log: options.log, bounds: options.bounds });
  const { app: server } = created;
  server.get('/livez', async () => ({ ok: true, why: [] }));
  server.get('/readyz', async (_request, reply) => {
    const why = readiness.notReady();
    return reply.code(why.length === 0 ? 200 : 503).send({ ok: why.length === 0, why });
  });
  server.get('/startupz', async (_request, reply) => {
    const why = readiness.notStarted();
    return reply.code(why.length === 0 ? 200 : 503).send({ ok: why.length === 0, why });
  });
  server.get('/metrics', async (_request, reply) => {
    const text = await metrics.render();
    return reply.type(metrics.contentType).send(text);
  });
  return listenOn(created, 'health.listen', options.listen);
}
