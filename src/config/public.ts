/** The configuration as the admin listener shows it. */
import type { Secret } from '../contract/credential.ts';
import { formatAddress } from './address.ts';
import { type EffectiveRoute, effectiveRoutes, type Settings, settingsOf } from './effective.ts';
import type { Config, RouteConfig } from './schema.ts';
import type { ListenSaslConfig, ListenTlsConfig, UpstreamSaslConfig, UpstreamTlsConfig } from './security.ts';

/** With `'[secret]'` in place of every secret. */
type Shown<T> = T extends Secret ? string : T extends object ? { readonly [K in keyof T]: Shown<T[K]> } : T;

export interface PublicRoute extends Omit<Settings, 'upstream'> {
  readonly name: string;
  readonly protocol: EffectiveRoute['protocol'];
  readonly listen: string;
  readonly upstream: {
    readonly bootstrap: readonly string[];
    readonly dialAddresses?: Readonly<Record<string, string>>;
    readonly dialTimeoutMilliseconds: number;
    readonly tls?: Shown<UpstreamTlsConfig>;
    readonly sasl?: Shown<UpstreamSaslConfig>;
    readonly saslPassThrough?: boolean;
  };
  readonly brokers?: EffectiveRoute['brokers'];
  readonly listenTls?: Shown<ListenTlsConfig>;
  readonly listenSasl?: Shown<ListenSaslConfig>;
  readonly stateFile?: string;
}

export interface PublicConfig extends Readonly<Omit<Config, 'routes'>> {
  readonly routes: readonly PublicRoute[];
}

/**
 * Plain JSON in the form of the file, with every default and every override filled in: as a file it means the same.
 * Made key by key, so that a key shows up here only if somebody has put it here.
 */
export function publicConfig(config: Config): PublicConfig {
  const { admin, health, log } = config;
  const written = effectiveRoutes(config).map((route, index) => publicRoute(route, config.routes[index]?.upstream));
  return { routes: written, ...settingsOf(config), admin: shown(admin), health, log };
}

function publicRoute(route: EffectiveRoute, upstream: RouteConfig['upstream'] | undefined): PublicRoute {
  const { name, protocol, listen, brokers, listenTls, listenSasl, stateFile, ...settings } = route;
  const { bootstrap, dialTimeoutMilliseconds, tls, sasl, saslPassThrough } = settings.upstream;
  const { portBase, ...others } = brokers;
  const kafka = protocol === 'kafka';
  return {
    name,
    protocol,
    listen: formatAddress(listen),
    ...(kafka ? { brokers: { ...(portBase === undefined ? {} : { portBase }), ...others } } : {}),
    ...settings,
    upstream: {
      bootstrap: bootstrap.map(formatAddress),
      ...(kafka ? { dialAddresses: upstream?.dialAddresses ?? {}, saslPassThrough } : {}),
      dialTimeoutMilliseconds,
      ...(tls === null ? {} : { tls: shown(tls) }),
      ...(sasl === null ? {} : { sasl: shown(sasl) }),
    },
    ...(listenTls === null ? {} : { listenTls: shown(listenTls) }),
    ...(listenSasl === null ? {} : { listenSasl: shown(listenSasl) }),
    ...(stateFile === null ? {} : { stateFile }),
  };
}

/** As JSON has it: secrets say that they are some, and what is not there is not there. */
function shown<T extends object>(keys: T): Shown<T> {
  return JSON.parse(JSON.stringify(keys)) as Shown<T>;
}
