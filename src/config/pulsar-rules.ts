/** Checks between the keys of a `pulsar` route, and the keys that only such a route has. */
import { schemeOf } from './address.ts';
import { type InRoute, servedFaults } from './broker-rules.ts';
import { settingsOf } from './effective.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import { authFaults } from './sasl-rules.ts';
import { isNodeId } from './scalars.ts';
import type { Config, RouteConfig } from './schema.ts';

/** Frames have room for so much beside the message (`MESSAGE_SIZE_FRAME_PADDING`), and messages need some too. */
const SMALLEST_FRAME_BYTES = 16_384;

type Refused = readonly (readonly [given: boolean, path: KeyPath, message: string])[];

function faultsOf(refused: Refused, on: KeyPath): RuleFault[] {
  return refused
    .filter(([given]) => given)
    .map(([, path, message]): RuleFault => ({ at: [path], on: [on], mark: 'key', message }));
}

export function pulsarFaults(config: Config, route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { auth } = route.upstream;
  const on = inRoute('protocol');
  const found = [
    ...foreignFaults(route, inRoute),
    ...schemeFaults(route, inRoute),
    ...brokersFaults(route, inRoute),
    ...(auth === undefined ? [] : authFaults(auth, inRoute('upstream', 'auth'))),
    ...frameFaults(config, route, inRoute),
  ];
  return found.map((fault) => ({ ...fault, on: [...fault.on, on] }));
}

/** Keys that say what Pulsar says in another way. */
function foreignFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { upstream, listenTls } = route;
  const refused: Refused = [
    [
      upstream.sasl !== undefined,
      inRoute('upstream', 'sasl'),
      'a pulsar route has upstream.auth in its place: method basic for PLAIN, method token for OAUTHBEARER',
    ],
    [
      upstream.saslPassThrough,
      inRoute('upstream', 'saslPassThrough'),
      'without upstream.auth a pulsar route passes on what clients show, and still shares connections: remove this key',
    ],
    [
      route.listenSasl !== undefined,
      inRoute('listenSasl'),
      'Pulsar clients have no SASL for the sidecar: remove this key; listenTls.clientCaFile lets in who has a certificate',
    ],
    [
      listenTls?.subjectIsUser === true,
      inRoute('listenTls', 'subjectIsUser'),
      'a certificate names a user of listenSasl, which a pulsar route does not have: remove this key',
    ],
    [
      route.stateFile !== undefined,
      inRoute('stateFile'),
      'Pulsar clients look their brokers up again after a restart: remove this key',
    ],
  ];
  return faultsOf(refused, inRoute('protocol'));
}

/** A service URL says whether its brokers speak TLS, and so does `upstream.tls`. */
function schemeFaults({ upstream }: RouteConfig, inRoute: InRoute): RuleFault[] {
  const tls = inRoute('upstream', 'tls');
  return upstream.bootstrap.flatMap((text, index): RuleFault[] => {
    const scheme = schemeOf(text);
    if (scheme === undefined || (scheme === 'pulsar+ssl://') === (upstream.tls !== undefined)) return [];
    const message =
      upstream.tls === undefined
        ? 'pulsar+ssl:// means TLS: set upstream.tls, {} for the authorities of the system'
        : 'pulsar:// means plaintext, but there is upstream.tls: write pulsar+ssl://, or host:port';
    return [{ at: [inRoute('upstream', 'bootstrap', index)], on: [tls], mark: 'value', message }];
  });
}

function brokersFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { brokers } = route;
  const ways = inRoute('brokers', 'rewriteLookups');
  if (brokers?.rewriteLookups === 'listeners') {
    const byId = Object.keys(brokers.ports).filter(isNodeId);
    return [
      ...servedFaults(route, inRoute),
      ...byId.map((node): RuleFault => {
        const message = 'Pulsar brokers have no ids: name each by its address, such as "broker-1:6650"';
        return { at: [inRoute('brokers', 'ports', node)], on: [ways], mark: 'key', message };
      }),
    ];
  }
  const message = 'brokers have local ports only with rewriteLookups: listeners: remove this key, or set that';
  const refused: Refused = [
    [brokers?.portBase !== undefined, inRoute('brokers', 'portBase'), message],
    [Object.keys(brokers?.ports ?? {}).length > 0, inRoute('brokers', 'ports'), message],
    [brokers?.listenHost !== undefined, inRoute('brokers', 'listenHost'), message],
    [brokers?.advertisedHost !== undefined, inRoute('brokers', 'advertisedHost'), message],
  ];
  return faultsOf(refused, ways);
}

function frameFaults(config: Config, route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const bytes = settingsOf(config, route).limits.maxFrameBytes;
  if (bytes >= SMALLEST_FRAME_BYTES) return [];
  const message = `must be at least ${SMALLEST_FRAME_BYTES} bytes for a pulsar route, not ${bytes}`;
  return [{ at: [inRoute('limits', 'maxFrameBytes'), ['limits', 'maxFrameBytes']], on: [], mark: 'value', message }];
}

/** Keys that mean nothing on the routes of other protocols. */
export function otherProtocolFaults(route: RouteConfig, inRoute: InRoute): RuleFault[] {
  const { upstream, brokers, protocol } = route;
  const only = `only a pulsar route has a use for it, and this one is ${protocol}: remove this key`;
  const refused: Refused = [
    [
      upstream.auth !== undefined,
      inRoute('upstream', 'auth'),
      protocol === 'kafka' ? 'a kafka route has upstream.sasl in its place' : only,
    ],
    [upstream.allowedBrokers.length > 0, inRoute('upstream', 'allowedBrokers'), only],
    [route.keepTopicsAlive, inRoute('keepTopicsAlive'), only],
    [protocol !== 'tcp' && brokers?.rewriteLookups !== undefined, inRoute('brokers', 'rewriteLookups'), only],
    ...Object.keys(brokers?.ports ?? {}).map(
      (node) =>
        [
          protocol !== 'tcp' && !isNodeId(node),
          inRoute('brokers', 'ports', node),
          'must be a node id, a whole number from 0 on',
        ] as const,
    ),
  ];
  const schemes = upstream.bootstrap.flatMap((text, index): RuleFault[] => {
    if (schemeOf(text) === undefined) return [];
    const message = `a ${protocol} route has no service URLs: write host:port, without a scheme`;
    return [{ at: [inRoute('upstream', 'bootstrap', index)], on: [inRoute('protocol')], mark: 'value', message }];
  });
  return [...faultsOf(refused, inRoute('protocol')), ...schemes];
}
