/** What a configuration means, in words: the output of `slackwater check`. */
import { formatAddress } from './address.ts';
import { describeIdentity, type IdentityDescription } from './describe-identity.ts';
import { type EffectiveRoute, effectiveRoutes, hasListeners, type Settings } from './effective.ts';
import type { Config } from './schema.ts';
import { warnings } from './warnings.ts';

export interface RouteDescription extends IdentityDescription {
  readonly name: string;
  readonly protocol: string;
  /** Where applications connect. */
  readonly listen: string;
  readonly bootstrap: readonly string[];
  /** Where brokers are served locally; null if the protocol has no listeners of that kind. */
  readonly brokers: string | null;
  readonly idle: string;
  /** What becomes of topics that nobody but idle producers uses; null if the protocol has nothing of the kind. */
  readonly topics: string | null;
  readonly clients: string;
}

export interface ConfigDescription {
  readonly routes: readonly RouteDescription[];
  readonly admin: string;
  readonly health: string;
  readonly warnings: readonly string[];
}

/** Spread over which found connections are released: a tenth of the interval, at most so long. */
const MAX_SPREAD_SECONDS = 5;

export function describeConfig(config: Config): ConfigDescription {
  return {
    routes: effectiveRoutes(config).map(describeRoute),
    admin: config.admin.listen,
    health: config.health.listen,
    warnings: warnings(config),
  };
}

/** Lines for people, without a line break at the end. */
export function descriptionText(description: ConfigDescription): string {
  const routes = description.routes.flatMap((route) => [
    `route ${route.name} (${route.protocol})`,
    `  applications connect to  ${route.listen}`,
    `  cluster                  ${route.bootstrap.join(', ')}`,
    ...(route.brokers === null ? [] : [`  brokers are served on    ${route.brokers}`]),
    `  brokers see              ${route.brokersSee}`,
    `  clients show             ${route.clientsShow}`,
    `  shared                   ${route.shared}`,
    `  pinned                   ${route.pinned}`,
    `  refused                  ${route.refused}`,
    `  idle                     ${route.idle}`,
    ...(route.topics === null ? [] : [`  topics                   ${route.topics}`]),
    `  clients                  ${route.clients}`,
  ]);
  const listeners = [`admin   ${description.admin}`, `health  ${description.health}`];
  return [...routes, ...listeners, ...description.warnings.map((warning) => `warning: ${warning}`)].join('\n');
}

/** Seconds between which an idle upstream is released after its last valid data; undefined if it never is. */
export function releaseWindow(settings: Settings): { readonly earliest: number; readonly latest: number } | undefined {
  const { connectionMaxIdleSeconds: idle, connectionIdleDetectionIntervalSeconds: interval } = settings;
  if (!settings.autoReleaseIdleConnectionsEnabled || idle === 0) return undefined;
  const latest = idle + interval + Math.min(interval / 10, MAX_SPREAD_SECONDS);
  return { earliest: idle, latest: Math.round(latest * 10) / 10 };
}

function describeRoute(route: EffectiveRoute): RouteDescription {
  return {
    name: route.name,
    protocol: route.protocol,
    listen: formatAddress(route.listen),
    bootstrap: route.upstream.bootstrap.map(formatAddress),
    brokers: hasListeners(route) ? brokerWords(route) : null,
    ...describeIdentity(route),
    idle: idleWords(route),
    topics: topicWords(route),
    clients: clientWords(route),
  };
}

function brokerWords({ protocol, brokers }: EffectiveRoute): string {
  const { portBase, ports, listenHost, advertisedHost } = brokers;
  const [each, which] = protocol === 'kafka' ? ['node', 'node N'] : ['', 'the Nth that is named, from 0,'];
  const single = Object.entries(ports).map(([node, port]) =>
    `${each} ${node} on ${formatAddress({ host: listenHost, port })}`.trimStart(),
  );
  const host = listenHost.includes(':') ? `[${listenHost}]` : listenHost;
  const others = portBase === undefined ? [] : [`${which} on ${host}:(${portBase} + N)`];
  const told = advertisedHost === listenHost ? '' : `; applications are told ${advertisedHost}`;
  return `${[...single, ...others].join(', ')}${told}`;
}

function idleWords(route: EffectiveRoute): string {
  if (route.upstream.saslPassThrough) return 'an upstream goes with its client';
  const window = releaseWindow(route);
  if (window === undefined) return 'an upstream stays open until the broker closes it';
  const words = `an upstream goes between ${window.earliest} and ${window.latest} s after its last valid data`;
  if (route.protocol !== 'pulsar') return words;
  return route.keepTopicsAlive ? `${words}, but stays while a producer is open` : `${words}; its producers are parked`;
}

/** Whether a topic has a producer is all that keeps one without subscription. */
function topicWords(route: EffectiveRoute): string | null {
  if (route.protocol !== 'pulsar') return null;
  if (route.keepTopicsAlive || releaseWindow(route) === undefined)
    return 'keep their producers, however idle those are';
  return (
    'one without subscription is deleted by its broker 60 s (brokerDeleteInactiveTopicsFrequencySeconds) after its ' +
    'producers were parked, unless keepTopicsAlive is true or brokerDeleteInactiveTopicsEnabled=false'
  );
}

function clientWords({ maxClients, clientMaxIdleSeconds }: EffectiveRoute): string {
  const idle =
    clientMaxIdleSeconds === 0 ? 'stay open however idle' : `are closed after ${clientMaxIdleSeconds} s idle`;
  return `at most ${maxClients}; they ${idle}`;
}
