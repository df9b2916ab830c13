/** Which addresses the process listens on, as far as the configuration alone tells. */
import { collide, formatAddress, type HostPort, isLoopback, parseAddress } from './address.ts';
import { effectiveRoutes } from './effective.ts';
import { type KeyPath, pathText } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { Config } from './schema.ts';

export interface Listener {
  /** Such as `route orders`, `node 3 of route orders` or `admin`. */
  readonly purpose: string;
  readonly address: HostPort;
  /** The key that sets its port. */
  readonly path: KeyPath;
  /** Further keys that its address depends on. */
  readonly on: readonly KeyPath[];
}

/** Of brokers only those with a port in `brokers.ports`: the others' node ids are known when the cluster answers. */
export function fixedListeners(config: Config): Listener[] {
  const routes = effectiveRoutes(config).flatMap((route, index): Listener[] => {
    const inRoute = (...keys: KeyPath): KeyPath => ['routes', index, ...keys];
    const own = { purpose: `route ${route.name}`, address: route.listen, path: inRoute('listen'), on: [] };
    const brokers = Object.entries(route.brokers.ports).map(([node, port]) => ({
      purpose: `node ${node} of route ${route.name}`,
      address: { host: route.brokers.listenHost, port },
      path: inRoute('brokers', 'ports', node),
      on: [inRoute('brokers', 'listenHost'), inRoute('listen')],
    }));
    return [own, ...brokers];
  });
  return [
    ...routes,
    { purpose: 'admin', address: parseAddress(config.admin.listen), path: ['admin', 'listen'], on: [] },
    { purpose: 'health', address: parseAddress(config.health.listen), path: ['health', 'listen'], on: [] },
  ];
}

export function listenerFaults(config: Config): RuleFault[] {
  return [...collisions(fixedListeners(config)), ...openAdmin(config)];
}

function collisions(listeners: readonly Listener[]): RuleFault[] {
  return listeners.flatMap((later, index) =>
    listeners
      .slice(0, index)
      .filter((earlier) => collide(earlier.address, later.address))
      .map((earlier): RuleFault => {
        const [one, other] = [earlier, later].map(
          ({ path, address }) => `${pathText(path)} (${formatAddress(address)})`,
        );
        const message = `${one} and ${other} cannot both be bound: change one of the ports`;
        return { at: [later.path, earlier.path], on: [...earlier.on, ...later.on], mark: 'value', message };
      }),
  );
}

/** Whoever reaches the admin listener may close connections: a token must be asked for, if not everybody is local. */
function openAdmin(config: Config): RuleFault[] {
  const { host } = parseAddress(config.admin.listen);
  if (isLoopback(host) || config.admin.tokenFile !== undefined) return [];
  const message =
    `whoever reaches ${host} could close connections: set admin.tokenFile, or stay on loopback ` +
    '(127.0.0.1, [::1] or localhost)';
  return [{ at: [['admin', 'listen']], on: [['admin', 'tokenFile']], mark: 'value', message }];
}
