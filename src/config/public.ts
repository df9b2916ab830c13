/** The configuration as the admin listener shows it. */
import type { Secret } from '../contract/credential.ts';
import { formatAddress } from './address.ts';
import { type EffectiveRoute, effectiveRoutes, type Settings, settingsOf } from './effective.ts';
import type { Config, LOOKUP_WAYS, RouteConfig } from './schema.ts';
import type {
  ListenSaslConfig,
  ListenTlsConfig,
  UpstreamAuthConfig,
  UpstreamSaslConfig,
  UpstreamTlsConfig,
} from './security.ts';

/** With `'[secret]'` in place of every secret. */
type Shown<T> = T extends Secret ? string : T extends object ? { readonly [K in keyof T]: Shown<T[K]> } : T;

type PublicBrokers = Partial<EffectiveRoute['brokers']> & { readonly rewriteLookups?: (typeof LOOKUP_WAYS)[number] };

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
    readonly auth?: Shown<UpstreamAuthConfig>;
    readonly allowedBrokers?: readonly string[];
  };
  readonly brokers?: PublicBrokers;
  readonly listenTls?: Shown<ListenTlsConfig>;
  readonly listenSasl?: Shown<ListenSaslConfig>;
  readonly stateFile?: string;
  readonly keepTopicsAlive?: boolean;
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
  const { name, protocol, listen, brokers, listenTls, listenSasl, stateFile, ...others } = route;
  const { keepTopicsAlive, rewritesLookups, ...settings } = others;
  const { bootstrap, dialTimeoutMilliseconds, tls, sasl, saslPassThrough, auth, allowedBrokers } = settings.upstream;
  const [kafka, pulsar] = [protocol === 'kafka', protocol === 'pulsar'];
  return {
    name,
    protocol,
    listen: formatAddress(listen),
    ...(kafka || pulsar ? { brokers: publicBrokers(brokers, kafka, rewritesLookups) } : {}),
    ...settings,
    upstream: {
      bootstrap: bootstrap.map(formatAddress),
      ...(kafka || pulsar ? { dialAddresses: upstream?.dialAddresses ?? {} } : {}),
      ...(kafka ? { saslPassThrough } : {}),
      ...(pulsar ? { allowedBrokers } : {}),
      dialTimeoutMilliseconds,
      ...(tls === null ? {} : { tls: shown(tls) }),
      ...(sasl === null ? {} : { sasl: shown(sasl) }),
      ...(auth === null ? {} : { auth: shown(auth) }),
    },
    ...(listenTls === null ? {} : { listenTls: shown(listenTls) }),
    ...(listenSasl === null ? {} : { listenSasl: shown(listenSasl) }),
    ...(stateFile === null ? {} : { stateFile }),
    ...(pulsar ? { keepTopicsAlive } : {}),
  };
}

/** Where brokers have no ports of their own, their keys would be faults. */
function publicBrokers(
  { portBase, ...others }: EffectiveRoute['brokers'],
  kafka: boolean,
  rewritesLookups: boolean,
): PublicBrokers {
  const served = { ...(portBase === undefined ? {} : { portBase }), ...others };
  if (kafka) return served;
  return rewritesLookups ? { ...served, rewriteLookups: 'listeners' } : { rewriteLookups: 'proxy' };
}

/** As JSON has it: secrets say that they are some, and what is not there is not there. */
function shown<T extends object>(keys: T): Shown<T> {
  return JSON.parse(JSON.stringify(keys)) as Shown<T>;
}
