/** Checks between the keys that say where brokers are served locally. */
import { isWildcard, overlap, parseAddress } from './address.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { RouteConfig } from './schema.ts';

/** The path of a key of the route. */
export type InRoute = (...keys: KeyPath) => KeyPath;

/** Of a route whose brokers have local ports of their own. */
export function servedFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const on = [inRoute('protocol'), inRoute('listen')];
  const { portBase, ports, listenHost, advertisedHost } = route.brokers ?? {};
  const faults: RuleFault[] = [];
  if (portBase === undefined && Object.keys(ports ?? {}).length === 0) {
    const who = route.protocol === 'kafka' ? 'a kafka route' : 'rewriteLookups: listeners';
    const message = `${who} needs brokers.portBase, such as 29092, or brokers.ports: each broker has its own port`;
    faults.push({ at: [inRoute('brokers')], on: [...on, inRoute('brokers')], mark: 'key', message });
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
