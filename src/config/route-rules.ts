/** Checks between the keys of one route, and between the names of several. */
import { parseAddress, reaches } from './address.ts';
import { type InRoute, servedFaults } from './broker-rules.ts';
import type { KeyPath } from './fault.ts';
import { otherProtocolFaults, pulsarFaults } from './pulsar-rules.ts';
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
        ...(route.protocol === 'pulsar' ? pulsarFaults(config, route, inRoute) : otherProtocolFaults(route, inRoute)),
        ...(route.protocol === 'kafka' ? [...servedFaults(route, inRoute), ...identityFaults(route, inRoute)] : []),
        ...(route.protocol === 'tcp' ? tcpFaults(route, inRoute) : []),
        ...(route.upstream.tls === undefined ? [] : upstreamTlsFaults(route.upstream.tls, inRoute('upstream', 'tls'))),
        ...loops(route, inRoute),
      ];
    }),
  ];
}

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
    found.push({ at: [passThrough], on, mark: 'value', message });
  }
  if (saslPassThrough && route.listenSasl !== undefined) {
    const message =
      'clients authenticate either to the brokers or, with listenSasl, to the sidecar: remove one of the two';
    found.push({ at: [passThrough], on, mark: 'value', message });
  }
  if (!saslPassThrough && route.stateFile !== undefined) {
    const message = 'only a route with upstream.saslPassThrough needs to remember its brokers: remove it';
    found.push({ at: [inRoute('stateFile')], on: [...on, passThrough], mark: 'key', message });
  }
  return found;
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
