/** Checks between the keys of one route, and between the names of several. */
import { isWildcard, overlap, parseAddress, reaches } from './address.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import { saslFaults } from './sasl-rules.ts';
import type { Config, RouteConfig } from './schema.ts';
import { listenFaults, upstreamTlsFaults } from './tls-rules.ts';

export function routeFaults(config: Config): RuleFault[] {
  return [
    ...duplicateNames(config.routes),
    ...duplicateStateFiles(config.routes),
    ...config.routes.flatMap((route, index) => {
      const inRoute = (...keys: KeyPath): KeyPath => ['routes', index, ...keys];
      return [
        ...(route.protocol === 'kafka'
          ? [...kafkaFaults(route, inRoute), ...identityFaults(route, inRoute)]
          : tcpFaults(route, inRoute)),
        ...(route.upstream.tls === undefined ? [] : upstreamTlsFaults(route.upstream.tls, inRoute('upstream', 'tls'))),
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

function duplicateStateFiles(routes: readonly RouteConfig[]): RuleFault[] {
  return routes.flatMap(({ stateFile }, index): RuleFault[] => {
    const first = routes.findIndex((route) => route.stateFile === stateFile);
    if (stateFile === undefined || first === index) return [];
    const message = `routes[${first}] keeps its brokers there as well: give each route a file of its own`;
    return [{ at: [['routes', index, 'stateFile']], on: [['routes', first, 'stateFile']], mark: 'value', message }];
  });
}

/** Who clients are for us, and who we are for brokers. */
function identityFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { sasl, saslPassThrough } = route.upstream;
  const on = [inRoute('protocol')];
  const passThrough = inRoute('upstream', 'saslPassThrough');
  const found = [
    ...(sasl === undefined ? [] : saslFaults(sasl, inRoute('upstream', 'sasl'))),
    ...listenFaults(route.listenTls, route.listenSasl, inRoute()),
  ].map((fault): RuleFault => ({ ...fault, on: [...fault.on, ...on] }));
  if (saslPassThrough && sasl !== undefined) {
    const message = 'upstream.sasl says who the sidecar is, but here clients say who they are: remove one of the two';
    found.push({ at: [passThrough], on: [...on, inRoute('upstream', 'sasl')], mark: 'value', message });
  }
  if (saslPassThrough && route.listenSasl !== undefined) {
    const message =
      'clients authenticate either to the brokers or, with listenSasl, to the sidecar: remove one of the two';
    found.push({ at: [passThrough], on: [...on, inRoute('listenSasl')], mark: 'value', message });
  }
  if (!saslPassThrough && route.stateFile !== undefined) {
    const message = 'only a route with upstream.saslPassThrough needs to remember its brokers: remove it';
    found.push({ at: [inRoute('stateFile')], on: [...on, passThrough], mark: 'key', message });
  }
  return found;
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

/** Keys of a route that mean nothing where bytes are passed on as they are. */
function tcpFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { upstream, listenTls } = route;
  const refused: readonly (readonly [given: boolean, path: KeyPath])[] = [
    [route.brokers !== undefined, inRoute('brokers')],
    [Object.keys(upstream.dialAddresses).length > 0, inRoute('upstream', 'dialAddresses')],
    [upstream.sasl !== undefined, inRoute('upstream', 'sasl')],
    [upstream.saslPassThrough, inRoute('upstream', 'saslPassThrough')],
    [route.listenSasl !== undefined, inRoute('listenSasl')],
    [listenTls?.subjectIsUser === true, inRoute('listenTls', 'subjectIsUser')],
    [route.stateFile !== undefined, inRoute('stateFile')],
  ];
  const message = 'a tcp route passes bytes on as they are, and has no use for it: remove this key';
  return refused
    .filter(([given]) => given)
    .map(([, path]): RuleFault => ({ at: [path], on: [inRoute('protocol')], mark: 'key', message }));
}

function loops(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const listen = parseAddress(route.listen);
  return route.upstream.bootstrap.flatMap((text, index): RuleFault[] => {
    if (!reaches(parseAddress(text), listen)) return [];
    const message = `${text} is where this route itself listens: name a broker`;
    return [{ at: [inRoute('upstream', 'bootstrap', index)], on: [inRoute('listen')], mark: 'value', message }];
  });
}
