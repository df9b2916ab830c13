/** What a configuration may mean and probably does not: told by `slackwater check`, never a reason to refuse it. */
import { collide, formatAddress, overlap } from './address.ts';
import { type EffectiveRoute, effectiveRoutes, hasListeners } from './effective.ts';
import { fixedListeners, type Listener } from './listeners.ts';
import type { Config } from './schema.ts';
import { securityWarnings } from './security-warnings.ts';
import { SHORTEST_IDLE_SECONDS } from './setting-rules.ts';

/** Node ids that are likely enough to warn of a port that one of them would take. */
const LIKELY_NODES = 32;

export function warnings(config: Config): string[] {
  const routes = effectiveRoutes(config);
  const listeners = fixedListeners(config);
  return [
    ...routes.flatMap((route) => [...idleWarnings(route), ...takenPorts(route, listeners)]),
    ...sharedBases(routes),
    ...securityWarnings(config),
  ];
}

function idleWarnings(route: EffectiveRoute): string[] {
  const { name, connectionMaxIdleSeconds: idle, connectionIdleDetectionIntervalSeconds: interval } = route;
  if (!route.autoReleaseIdleConnectionsEnabled || idle === 0) {
    return [`route ${name}: idle broker connections are never released`];
  }
  const found: string[] = [];
  if (idle < SHORTEST_IDLE_SECONDS) found.push(`route ${name}: an idle time of ${idle} s is meant for tests`);
  if (idle + interval >= route.idleCeilingSeconds) {
    found.push(`route ${name}: at ${route.idleCeilingSeconds} s others may cut a connection before it is released`);
  }
  return found;
}

function takenPorts(route: EffectiveRoute, listeners: readonly Listener[]): string[] {
  const { portBase, ports, listenHost } = route.brokers;
  if (portBase === undefined || !hasListeners(route)) return [];
  return listeners.flatMap((listener) => {
    const node = listener.address.port - portBase;
    const address = { host: listenHost, port: listener.address.port };
    const likely = node >= 0 && node < LIKELY_NODES && ports[String(node)] === undefined;
    if (!likely || !collide(address, listener.address)) return [];
    const where = formatAddress(address);
    const broker = route.protocol === 'kafka' ? `a node ${node}` : `broker ${node}, from 0,`;
    return [`route ${route.name}: ${broker} would be served on ${where}, which is taken by ${listener.purpose}`];
  });
}

function sharedBases(routes: readonly EffectiveRoute[]): string[] {
  return routes.flatMap((later, index) =>
    routes.slice(0, index).flatMap((earlier) => {
      const [one, other] = [earlier.brokers, later.brokers];
      if (one.portBase === undefined || other.portBase === undefined) return [];
      const distance = Math.abs(one.portBase - other.portBase);
      if (distance >= LIKELY_NODES || !overlap(one.listenHost, other.listenHost)) return [];
      const nodes = distance === 0 ? 'nodes with the same id' : `nodes whose ids differ by ${distance}`;
      return [`routes ${earlier.name} and ${later.name}: ${nodes} would share a port; set brokers.portBase apart`];
    }),
  );
}
