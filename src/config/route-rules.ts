/** Checks between the keys of one route, and between the names of several. */
import { isWildcard, overlap, parseAddress, reaches } from './address.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { Config, RouteConfig } from './schema.ts';

export function routeFaults(config: Config): RuleFault[] {
  return [
    ...duplicateNames(config.routes),
    ...config.routes.flatMap((route, index) => {
      const inRoute = (...keys: KeyPath): KeyPath => ['routes', index, ...keys];
      return [
        ...(route.protocol === 'kafka' ? kafkaFaults(route, inRoute) : tcpFaults(route, inRoute)),
        ...loops(route, inRoute),
      ];
    }),
  ];
}

type InRoute = (...keys: KeyPath) => KeyPath;

function duplicateNames(routes: readonly RouteConfig[]): RuleFault[] {
  return routes.flatMap((route, index): RuleFault[] => {
    const first = routes.findIndex(({ name }) => name === route.name);
    if (first === index) return [];
    const message = `routes[${first}] is called ${route.name} as well: give each route a name of its own`;
    return [{ at: [['routes', index, 'name']], on: [['routes', first, 'name']], mark: 'value', message }];
  });
}

function kafkaFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const on = [inRoute('protocol'), inRoute('listen')];
  const { portBase, ports, listenHost, advertisedHost } = route.brokers ?? {};
  const faults: RuleFault[] = [];
  if (portBase === undefined && Object.keys(ports ?? {}).length === 0) {
    const message =
      'a kafka route needs brokers.portBase, such as 29092, or brokers.ports: each broker has its own port';
    faults.push({ at: [inRoute('brokers')], on, mark: 'key', message });
  }
  if (advertisedHost !== undefined) {
    if (!isWildcard(advertisedHost)) return faults;
    const message = `${advertisedHost} is no address to connect to: name the host under which applications reach this one`;
    return [...faults, { at: [inRoute('brokers', 'advertisedHost')], on, mark: 'value', message }];
  }
  const host = parseAddress(route.listen).host;
  const wildcard = [host, listenHost ?? host].find(isWildcard);
  const advertise = inRoute('brokers', 'advertisedHost');
  const at = [...(listenHost === undefined ? [] : [inRoute('brokers', 'listenHost')]), inRoute('listen')];
  if (wildcard !== undefined) {
    const message = `${wildcard} stands for all addresses: say in brokers.advertisedHost which one applications connect to`;
    faults.push({ at, on: [...on, advertise], mark: 'value', message });
  } else if (listenHost !== undefined && !overlap(listenHost, host)) {
    const message =
      `brokers are served on ${listenHost}, but applications would be told ${host}, the host of listen: ` +
      'set brokers.advertisedHost';
    faults.push({ at, on: [...on, advertise], mark: 'value', message });
  }
  return faults;
}

function tcpFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const on = [inRoute('protocol')];
  const refuse = (at: KeyPath): RuleFault => {
    return { at: [at], on, mark: 'key', message: 'a tcp route has only upstream.bootstrap: remove this key' };
  };
  return [
    ...(route.brokers === undefined ? [] : [refuse(inRoute('brokers'))]),
    ...(Object.keys(route.upstream.dialAddresses).length === 0 ? [] : [refuse(inRoute('upstream', 'dialAddresses'))]),
  ];
}

function loops(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const listen = parseAddress(route.listen);
  return route.upstream.bootstrap.flatMap((text, index): RuleFault[] => {
    if (!reaches(parseAddress(text), listen)) return [];
    const message = `${text} is where this route itself listens: name a broker`;
    return [{ at: [inRoute('upstream', 'bootstrap', index)], on: [inRoute('listen')], mark: 'value', message }];
  });
}
