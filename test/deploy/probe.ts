/** What probes may ask for, and where. */
import { HEALTH_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { parseAddress } from '../../src/config/address.ts';
import { parseConfig } from '../../src/config/load.ts';

const SMALLEST = `
routes:
  - { name: a, protocol: tcp, listen: 127.0.0.1:1, upstream: { bootstrap: [b:1] } }
`;

/** The port of the health listener if the configuration says nothing. */
export const DEFAULT_HEALTH_PORT = parseAddress(parseConfig(SMALLEST, 'smallest').health.listen).port;

export const HEALTH_PATHS: readonly string[] = HEALTH_ENDPOINTS.map(({ path }) => path);

/** Every `http://host:port/path` in a command. */
export function urlsIn(command: string): { readonly port: number; readonly path: string }[] {
  return [...command.matchAll(/http:\/\/[\w.]+:(\d+)(\/\w+)/g)].map(([, port, path]) => ({
    port: Number(port),
    path: path ?? '',
  }));
}
