/** Every endpoint, for the answer to a wrong path and for docs/api.md. GET never changes anything. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly purpose: string;
}

export const HEALTH_ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: '/livez', purpose: 'The process is alive.' },
  { method: 'GET', path: '/readyz', purpose: 'Every cluster was learnt once and the process is not shutting down.' },
  { method: 'GET', path: '/startupz', purpose: 'Every cluster was learnt once.' },
  { method: 'GET', path: '/metrics', purpose: 'Metrics in the Prometheus text format.' },
];

export const ADMIN_ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: '/v1/routes', purpose: 'Routes with their brokers and counts, and what happened lately.' },
  { method: 'GET', path: '/v1/upstreams', purpose: 'Broker connections, each with why it is open and when it goes.' },
  { method: 'GET', path: '/v1/clients', purpose: 'Sockets of applications, each with what it waits for or holds.' },
  { method: 'GET', path: '/v1/config', purpose: 'The configuration in effect, without secrets.' },
  { method: 'GET', path: '/v1/version', purpose: 'Version, state, start and log level of the process.' },
  { method: 'POST', path: '/v1/reap', purpose: 'Lets quiet broker connections go now.' },
  { method: 'DELETE', path: '/v1/upstreams/:id', purpose: 'Condemns a broker connection: it closes once it is free.' },
  { method: 'DELETE', path: '/v1/clients/:id', purpose: "Closes an application's socket." },
  { method: 'PUT', path: '/v1/log-level', purpose: 'Changes how much is logged.' },
];

/** The methods that a path knows, by its pattern. */
export function methodsAt(endpoints: readonly Endpoint[], path: string): string[] {
  return endpoints.filter((endpoint) => matches(endpoint.path, path)).map(({ method }) => method);
}

function matches(pattern: string, path: string): boolean {
  const want = pattern.split('/');
  const have = path.split('/');
  return want.length === have.length && want.every((part, i) => part.startsWith(':') || part === have[i]);
}
