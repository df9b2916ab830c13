/** What holds for each route once its own keys, the top level's and the defaults are laid over one another. */
import type { z } from 'zod';
import { formatAddress, type HostPort, parseAddress } from './address.ts';
import { isNodeId } from './scalars.ts';
import { brokersSchema, type Config, type RouteConfig } from './schema.ts';
import type {
  ListenSaslConfig,
  ListenTlsConfig,
  UpstreamAuthConfig,
  UpstreamSaslConfig,
  UpstreamTlsConfig,
} from './security.ts';
import { idleKeys } from './settings.ts';

type IdleSettings = { readonly [K in keyof typeof idleKeys]: z.output<(typeof idleKeys)[K]> };

/** The keys that the top level has for all routes and that a route may override. */
export interface Settings extends IdleSettings {
  readonly pool: Readonly<Config['pool']>;
  readonly limits: Readonly<Config['limits']>;
  readonly upstream: Readonly<Config['upstream']>;
}

export interface EffectiveRoute extends Settings {
  readonly name: string;
  readonly protocol: RouteConfig['protocol'];
  readonly listen: HostPort;
  readonly upstream: {
    readonly bootstrap: readonly HostPort[];
    /** Advertised `host:port`, IPv6 without brackets, to the address that is dialled instead. */
    readonly dialAddresses: Readonly<Record<string, HostPort>>;
    readonly dialTimeoutMilliseconds: number;
    /** Null: plaintext. */
    readonly tls: UpstreamTlsConfig | null;
    /** Null: nobody in particular. */
    readonly sasl: UpstreamSaslConfig | null;
    readonly saslPassThrough: boolean;
    /** Of a pulsar route. Null: what clients show is shown to brokers. */
    readonly auth: UpstreamAuthConfig | null;
    /** Patterns of `host:port`. */
    readonly allowedBrokers: readonly string[];
  };
  /** Null: plaintext. */
  readonly listenTls: ListenTlsConfig | null;
  /** Null: clients need not say who they are. */
  readonly listenSasl: ListenSaslConfig | null;
  /** An absolute path; null: nothing is kept. */
  readonly stateFile: string | null;
  readonly keepTopicsAlive: boolean;
  /** Lookups of a pulsar route are answered with local ports of the brokers' own. */
  readonly rewritesLookups: boolean;
  readonly brokers: {
    readonly portBase?: number | undefined;
    /** Node name to local port. */
    readonly ports: Readonly<Record<string, number>>;
    readonly listenHost: string;
    readonly advertisedHost: string;
    readonly removeAfterSeconds: number;
  };
}

/** Whether brokers are served on local ports of their own. */
export function hasListeners({ protocol, rewritesLookups }: EffectiveRoute): boolean {
  return protocol === 'kafka' || rewritesLookups;
}

/** The top level's settings, or those of a route. */
export function settingsOf(config: Config, route?: RouteConfig): Settings {
  return {
    ...overlay(pickIdle(config), route ?? {}),
    pool: overlay(config.pool, route?.pool ?? {}),
    limits: overlay(config.limits, route?.limits ?? {}),
    upstream: overlay(config.upstream, route?.upstream ?? {}),
  };
}

export function effectiveRoutes(config: Config): EffectiveRoute[] {
  return config.routes.map((route) => effectiveRoute(config, route));
}

function effectiveRoute(config: Config, route: RouteConfig): EffectiveRoute {
  const settings = settingsOf(config, route);
  const listen = parseAddress(route.listen);
  const brokers = route.brokers ?? brokersSchema.parse({});
  const { portBase, ports, listenHost, advertisedHost, removeAfterSeconds } = brokers;
  return {
    name: route.name,
    protocol: route.protocol,
    listen,
    ...settings,
    upstream: {
      bootstrap: route.upstream.bootstrap.map(parseAddress),
      dialAddresses: Object.fromEntries(
        Object.entries(route.upstream.dialAddresses).map(([advertised, dialled]) => {
          const { host, port } = parseAddress(advertised);
          return [`${host}:${port}`, parseAddress(dialled)] as const;
        }),
      ),
      ...settings.upstream,
      tls: route.upstream.tls ?? null,
      sasl: route.upstream.sasl ?? null,
      saslPassThrough: route.upstream.saslPassThrough,
      auth: route.upstream.auth ?? null,
      allowedBrokers: route.upstream.allowedBrokers,
    },
    listenTls: route.listenTls ?? null,
    listenSasl: route.listenSasl ?? null,
    stateFile: route.stateFile ?? null,
    keepTopicsAlive: route.keepTopicsAlive,
    rewritesLookups: route.brokers?.rewriteLookups === 'listeners',
    brokers: {
      portBase,
      ports: Object.fromEntries(Object.entries(ports).map(([node, port]) => [nodeName(node), port])),
      listenHost: listenHost ?? listen.host,
      advertisedHost: advertisedHost ?? listen.host,
      removeAfterSeconds,
    },
  };
}

/** A broker's address in the one spelling in which it is its name. */
function nodeName(text: string): string {
  return isNodeId(text) ? text : formatAddress(parseAddress(text));
}

function pickIdle(config: Config): IdleSettings {
  const keys = Object.keys(idleKeys) as (keyof typeof idleKeys)[];
  return Object.fromEntries(keys.map((key) => [key, config[key]])) as IdleSettings;
}

type Overrides<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** `base` with the values that `over` has for its keys. */
function overlay<T extends object>(base: T, over: Overrides<T>): T {
  const keys = Object.keys(base) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, over[key] ?? base[key]])) as T;
}
