/** The configuration as the admin listener shows it. */
import { formatAddress } from './address.ts';
import { type EffectiveRoute, effectiveRoutes, type Settings, settingsOf } from './effective.ts';
import type { Config, RouteConfig } from './schema.ts';

export interface PublicRoute extends Omit<Settings, 'upstream'> {
  readonly name: string;
  readonly protocol: EffectiveRoute['protocol'];
  readonly listen: string;
  readonly upstream: {
    readonly bootstrap: readonly string[];
    readonly dialAddresses?: Readonly<Record<string, string>>;
    readonly dialTimeoutMilliseconds: number;
  };
  readonly brokers?: EffectiveRoute['brokers'];
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
  return { routes: written, ...settingsOf(config), admin, health, log };
}

function publicRoute(route: EffectiveRoute, upstream: RouteConfig['upstream'] | undefined): PublicRoute {
  const { name, protocol, listen, brokers, ...settings } = route;
  const { bootstrap, dialTimeoutMilliseconds } = settings.upstream;
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
      ...(kafka ? { dialAddresses: upstream?.dialAddresses ?? {} } : {}),
      dialTimeoutMilliseconds,
    },
  };
}
