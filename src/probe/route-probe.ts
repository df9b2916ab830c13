/** Dials every bootstrap address of a route, and once more for each user who is somebody else for the brokers. */

import type { EffectiveRoute } from '../config/effective.ts';
import { multiplexingOf, passesOnCredentials } from '../config/multiplexing.ts';
import type { ProtocolRoute, UpstreamTarget } from '../contract/protocol.ts';
import type { DialFailure } from '../contract/reasons.ts';
import { BOOTSTRAP } from '../contract/topology.ts';
import type { Clock } from '../core/clock.ts';
import type { LoginSource } from '../core/login.ts';
import { addressOf } from '../core/options.ts';
import type { TlsAgreement } from '../core/tls-wire.ts';
import type { Network } from '../core/wire.ts';
import type { RouteIdentities } from '../identity/identities.ts';
import { PassedIdentities } from '../identity/passed.ts';
import { type OfferedApi, offeredApis } from '../protocols/kafka/offered.ts';
import { type OfferedBroker, offeredBroker } from '../protocols/pulsar/offered.ts';
import { protocolNamed } from '../protocols/registry.ts';
import { CLOSED_ON_PASS_THROUGH, DIAL_GUIDE } from '../telemetry/dial-guide.ts';
import { type DialOutcome, dial } from './dial.ts';

export interface ProbedAddress {
  readonly address: string;
  /** Where it was dialled. */
  readonly dialled: string;
  /** '' for the route's own identity, else a user of `listenSasl.credentialsFile`. */
  readonly identity: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly failure: {
    readonly reason: DialFailure;
    readonly detail: string;
    readonly meaning: string;
    readonly remedy: string;
  } | null;
  readonly tls: TlsAgreement | null;
  readonly shown: DialOutcome['shown'];
  readonly sessionLifetimeMilliseconds: number;
  readonly clusterId: string | null;
  readonly brokers: readonly { readonly node: string; readonly address: string }[] | null;
  readonly apis: readonly OfferedApi[] | null;
  /** What a broker without APIs in versions said of itself. */
  readonly broker: OfferedBroker | null;
}

export interface ProbedRoute {
  readonly name: string;
  readonly protocol: string;
  /** Brokers were asked for more than their API versions. */
  readonly authenticates: boolean;
  readonly addresses: readonly ProbedAddress[];
}

export interface ProbeParts {
  readonly clock: Clock;
  readonly network: Network;
  readonly identities: RouteIdentities;
  /** Users who are somebody else for the brokers than the route itself. */
  readonly users: readonly string[];
}

/** One address after the other, so that brokers of two clusters are found out as a route would. */
export async function probeRoute(route: EffectiveRoute, parts: ProbeParts): Promise<ProbedRoute> {
  const { identities, users } = parts;
  const passed = passesOnCredentials(route) ? new PassedIdentities(identities, parts.clock) : null;
  const protocol = protocolNamed(route.protocol).createRoute({
    addresses: { find: () => undefined },
    maxFrameBytes: route.limits.maxFrameBytes,
    portBase: route.brokers.portBase,
    ports: route.brokers.ports,
    saslPassThrough: route.upstream.saslPassThrough,
    users: identities.users,
    multiplexing: multiplexingOf(route, passed),
  });
  const targets = route.upstream.bootstrap.map((address): UpstreamTarget => ({ node: BOOTSTRAP, ...address }));
  const addresses: ProbedAddress[] = [];
  for (const target of targets) addresses.push(await probe(route, protocol, target, identities.first, parts));
  const reached = targets[addresses.findIndex(({ ok }) => ok)] ?? targets[0];
  for (const name of users) {
    const source = name === identities.first.name ? undefined : identities.find(name);
    if (source !== undefined && reached !== undefined) {
      addresses.push(await probe(route, protocol, reached, source, parts));
    }
  }
  return {
    name: route.name,
    protocol: route.protocol,
    authenticates: protocol.asksForTopology || (protocol.multiplexes && passed === null),
    addresses,
  };
}

async function probe(
  route: EffectiveRoute,
  protocol: ProtocolRoute,
  target: UpstreamTarget,
  { name, login }: LoginSource,
  { clock, network }: ProbeParts,
): Promise<ProbedAddress> {
  const { upstream } = route;
  const address = upstream.dialAddresses[addressOf(target)] ?? target;
  const session = protocol.upstream<never>(target, name);
  const timeoutMilliseconds = upstream.dialTimeoutMilliseconds;
  const outcome = await dial({ target, address, login, session }, { clock, network, timeoutMilliseconds });
  const { failure, topology, milliseconds, tls, shown } = outcome;
  const showsNothing = route.upstream.saslPassThrough || passesOnCredentials(route);
  return {
    address: addressOf(target),
    dialled: addressOf(address),
    identity: name,
    ok: failure === null,
    milliseconds: Math.round(milliseconds),
    failure: failure === null ? null : { ...failure, ...adviceOn(failure.reason, showsNothing) },
    tls,
    shown,
    sessionLifetimeMilliseconds: outcome.lifetimeMilliseconds,
    clusterId: topology?.clusterId ?? null,
    brokers: topology?.nodes.map((broker) => ({ node: broker.node, address: addressOf(broker) })) ?? null,
    apis: failure === null ? offeredApis(protocol, BOOTSTRAP) : null,
    broker: failure === null ? offeredBroker(protocol, BOOTSTRAP) : null,
  };
}

function adviceOn(reason: DialFailure, showsNothing: boolean): { readonly meaning: string; readonly remedy: string } {
  const { meaning, remedy } = DIAL_GUIDE[reason];
  return { meaning, remedy: showsNothing && reason === 'closed' ? CLOSED_ON_PASS_THROUGH : remedy };
}
