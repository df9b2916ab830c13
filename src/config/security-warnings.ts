/** What leaves an open door, though somebody may want it so: told by `slackwater check` and at every start. */
import { isLoopback, parseAddress } from './address.ts';
import { allowsAnyHost } from './broker-patterns.ts';
import { type EffectiveRoute, effectiveRoutes, hasListeners } from './effective.ts';
import type { Config } from './schema.ts';

/** Mechanisms that show brokers the secret itself, or something as good for a while. */
const READABLE = ['PLAIN', 'OAUTHBEARER', 'AWS_MSK_IAM'];

/** A sentence each, with no secret in it. */
export function securityWarnings(config: Config): string[] {
  return [
    ...effectiveRoutes(config).flatMap((route) =>
      [...exposure(route), ...namedHosts(route), ...brokerSide(route), ...clientSide(route)].map(
        (words) => `route ${route.name}: ${words}`,
      ),
    ),
    ...adminWarnings(config),
  ];
}

function openHosts(route: EffectiveRoute): string[] {
  const hosts = [route.listen.host, ...(hasListeners(route) ? [route.brokers.listenHost] : [])];
  return [...new Set(hosts.filter((host) => !isLoopback(host)))];
}

/** Clients that are asked who they are, by us or by the brokers, do not get in because they reach a port. */
function exposure(route: EffectiveRoute): string[] {
  const { listenTls, listenSasl, upstream } = route;
  if (listenTls?.clientCaFile !== undefined || listenSasl !== null || upstream.saslPassThrough) return [];
  const { sasl, auth } = upstream;
  const who = sasl !== null ? ` as ${nameOf(sasl)}` : auth !== null ? ` as ${authName(auth)}` : '';
  if (route.protocol === 'pulsar' && auth === null) {
    return openHosts(route).map(
      (host) => `whoever reaches ${host} can use its brokers, if those ask for nothing; loopback would be private`,
    );
  }
  return openHosts(route).map((host) => `whoever reaches ${host} can use its brokers${who}; loopback would be private`);
}

function nameOf({ mechanism, username }: NonNullable<EffectiveRoute['upstream']['sasl']>): string {
  return username ?? `the ${mechanism} identity of this route`;
}

function authName({ method, username }: NonNullable<EffectiveRoute['upstream']['auth']>): string {
  return username ?? `the ${method} identity of this route`;
}

/** Who names brokers by himself may name any. */
function namedHosts({ upstream }: EffectiveRoute): string[] {
  return upstream.allowedBrokers
    .filter(allowsAnyHost)
    .map(
      (pattern) => `clients may have a connection opened to any host (allowedBrokers: ${pattern}); name the brokers'`,
    );
}

function brokerSide({ upstream }: EffectiveRoute): string[] {
  const { tls, sasl, auth, bootstrap } = upstream;
  if (tls !== null) {
    return tls.rejectUnauthorized ? [] : ['insecureSkipVerify is on: whoever answers is taken for a broker'];
  }
  if (bootstrap.every(({ host }) => isLoopback(host))) return [];
  if (auth !== null) return [`${auth.method} without upstream.tls: whoever listens on the network can read the secret`];
  if (sasl === null || !READABLE.includes(sasl.mechanism)) return [];
  return [`${sasl.mechanism} without upstream.tls: whoever listens on the network can read the secret`];
}

function clientSide(route: EffectiveRoute): string[] {
  const { protocol, listenTls, listenSasl, upstream } = route;
  const found: string[] = [];
  const passedOn = upstream.saslPassThrough || (protocol === 'pulsar' && upstream.auth === null);
  if (listenTls === null && (listenSasl?.mechanisms.includes('PLAIN') === true || passedOn)) {
    const what = protocol === 'pulsar' ? 'tokens or passwords' : 'passwords';
    for (const host of openHosts(route)) {
      found.push(`clients may send ${what} to ${host} in plaintext: listenTls would hide them`);
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
