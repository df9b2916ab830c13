/** What leaves an open door, though somebody may want it so: told by `slackwater check` and at every start. */
import { isLoopback, parseAddress } from './address.ts';
import { type EffectiveRoute, effectiveRoutes } from './effective.ts';
import type { Config } from './schema.ts';

/** Mechanisms that show brokers the secret itself, or something as good for a while. */
const READABLE = ['PLAIN', 'OAUTHBEARER', 'AWS_MSK_IAM'];

/** A sentence each, with no secret in it. */
export function securityWarnings(config: Config): string[] {
  return [
    ...effectiveRoutes(config).flatMap((route) =>
      [...exposure(route), ...brokerSide(route), ...clientSide(route)].map((words) => `route ${route.name}: ${words}`),
    ),
    ...adminWarnings(config),
  ];
}

function openHosts({ protocol, listen, brokers }: EffectiveRoute): string[] {
  const hosts = [listen.host, ...(protocol === 'kafka' ? [brokers.listenHost] : [])];
  return [...new Set(hosts.filter((host) => !isLoopback(host)))];
}

/** Clients that are asked who they are, by us or by the brokers, do not get in because they reach a port. */
function exposure(route: EffectiveRoute): string[] {
  const { listenTls, listenSasl, upstream } = route;
  if (listenTls?.clientCaFile !== undefined || listenSasl !== null || upstream.saslPassThrough) return [];
  const who = upstream.sasl === null ? '' : ` as ${nameOf(upstream.sasl)}`;
  return openHosts(route).map((host) => `whoever reaches ${host} can use its brokers${who}; loopback would be private`);
}

function nameOf({ mechanism, username }: NonNullable<EffectiveRoute['upstream']['sasl']>): string {
  return username ?? `the ${mechanism} identity of this route`;
}

function brokerSide({ upstream }: EffectiveRoute): string[] {
  const { tls, sasl, bootstrap } = upstream;
  if (tls !== null) {
    return tls.rejectUnauthorized ? [] : ['insecureSkipVerify is on: whoever answers is taken for a broker'];
  }
  if (sasl === null || !READABLE.includes(sasl.mechanism) || bootstrap.every(({ host }) => isLoopback(host))) return [];
  return [`${sasl.mechanism} without upstream.tls: whoever listens on the network can read the secret`];
}

function clientSide(route: EffectiveRoute): string[] {
  const { listenTls, listenSasl, upstream } = route;
  const found: string[] = [];
  if (listenTls === null && (listenSasl?.mechanisms.includes('PLAIN') === true || upstream.saslPassThrough)) {
    for (const host of openHosts(route)) {
      found.push(`clients may send passwords to ${host} in plaintext: listenTls would hide them`);
    }
  }
  if (upstream.saslPassThrough && route.stateFile === null) {
    found.push(
      'without stateFile the local ports of its brokers stay closed after a restart, until a client has asked ' +
        'on the address of listen',
    );
  }
  return found;
}

function adminWarnings({ admin }: Config): string[] {
  const { host } = parseAddress(admin.listen);
  if (isLoopback(host) || admin.tls !== undefined) return [];
  return [`admin: its token is sent to ${host} in plaintext: admin.tls would hide it`];
}
