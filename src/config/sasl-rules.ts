/** Checks between the keys of `upstream.sasl`, of a user's `sasl`, and of `upstream.auth`: each mechanism has its own. */
import { isLoopback } from './address.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { TokenEndpointConfig, UpstreamAuthConfig, UpstreamSaslConfig } from './security.ts';

type Key = Exclude<keyof UpstreamSaslConfig, 'mechanism'>;

interface MechanismKeys<K extends string = Key> {
  /** Exactly one of each. */
  readonly oneOf: readonly (readonly K[])[];
  readonly optional: readonly K[];
}

const PASSWORD: MechanismKeys = {
  oneOf: [
    ['username', 'usernameFile'],
    ['passwordFile', 'password'],
  ],
  optional: [],
};

const KEYS: Readonly<Record<UpstreamSaslConfig['mechanism'], MechanismKeys>> = {
  PLAIN: PASSWORD,
  'SCRAM-SHA-256': PASSWORD,
  'SCRAM-SHA-512': PASSWORD,
  OAUTHBEARER: { oneOf: [['tokenFile', 'token', 'tokenEndpoint']], optional: ['extensions'] },
  AWS_MSK_IAM: { oneOf: [['region']], optional: ['profile', 'roleArn'] },
};

type AuthKey = Exclude<keyof UpstreamAuthConfig, 'method'>;

const AUTH_KEYS: Readonly<Record<UpstreamAuthConfig['method'], MechanismKeys<AuthKey>>> = {
  token: { oneOf: [['tokenFile', 'token', 'tokenEndpoint']], optional: [] },
  basic: {
    oneOf: [
      ['username', 'usernameFile'],
      ['passwordFile', 'password'],
    ],
    optional: [],
  },
};

/** @param at where the mapping stands, here and below */
export function saslFaults(sasl: UpstreamSaslConfig, at: KeyPath): RuleFault[] {
  return keyFaults(sasl, 'mechanism', sasl.mechanism, KEYS[sasl.mechanism], at);
}

export function authFaults(auth: UpstreamAuthConfig, at: KeyPath): RuleFault[] {
  const found = keyFaults(auth, 'method', auth.method, AUTH_KEYS[auth.method], at);
  if (auth.method !== 'basic' || auth.username?.includes(':') !== true) return found;
  const message = 'must hold no colon: brokers read the password behind the first one';
  return [...found, { at: [[...at, 'username']], on: [[...at, 'method']], mark: 'value', message }];
}

type Given<K extends string> = { readonly [key in K]?: unknown } & {
  readonly tokenEndpoint?: TokenEndpointConfig | undefined;
};

/** @param chosenBy the key that says which keys there are, and `choice` what it says */
function keyFaults<K extends string>(
  given: Given<K>,
  chosenBy: string,
  choice: string,
  { oneOf, optional }: MechanismKeys<K>,
  at: KeyPath,
): RuleFault[] {
  const known: readonly string[] = [...oneOf.flat(), ...optional];
  const on: KeyPath = [...at, chosenBy];
  const strays = Object.entries(given)
    .filter(([key, value]) => key !== chosenBy && value !== undefined && !known.includes(key))
    .map(([key]): RuleFault => {
      const message = `${choice} has no use for it: remove it; its keys are ${known.join(', ')}`;
      return { at: [[...at, key]], on: [on], mark: 'key', message };
    });
  const choices = oneOf.flatMap((keys) => choiceFaults(given, keys, at, `${choice} needs ${keys.join(' or ')}`));
  const endpoint = given.tokenEndpoint;
  return [
    ...strays,
    ...choices.map((fault): RuleFault => ({ ...fault, on: [...fault.on, on] })),
    ...(endpoint === undefined ? [] : endpointFaults(endpoint, [...at, 'tokenEndpoint'])),
  ];
}

/** Exactly one of `keys` must be there; `missing` is the message if none is. */
export function choiceFaults<K extends string>(
  holder: { readonly [key in K]?: unknown },
  keys: readonly K[],
  at: KeyPath,
  missing: string,
): RuleFault[] {
  const chosen = keys.filter((key) => holder[key] !== undefined);
  if (chosen.length === 1) return [];
  const paths = keys.map((key): KeyPath => [...at, key]);
  if (chosen.length === 0) return [{ at: [at], on: [at, ...paths], mark: 'key', message: missing }];
  const message = `${chosen.join(' and ')} are given: keep one of them`;
  return [{ at: chosen.map((key): KeyPath => [...at, key]).toReversed(), on: [], mark: 'key', message }];
}

function endpointFaults(endpoint: TokenEndpointConfig, at: KeyPath): RuleFault[] {
  const url = new URL(endpoint.url);
  const secret = choiceFaults(
    endpoint,
    ['clientSecretFile', 'clientSecret'],
    at,
    'the client credentials grant needs clientSecretFile or clientSecret',
  );
  if (url.protocol !== 'http:') return secret;
  const found = [...secret];
  if (!isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) {
    const message = 'http would send the client secret readable over the network: use https, or an address on loopback';
    found.push({ at: [[...at, 'url']], on: [], mark: 'value', message });
  }
  if (endpoint.caFile !== undefined) {
    const message = 'http has no certificates to verify: remove caFile, or use https';
    found.push({ at: [[...at, 'caFile']], on: [[...at, 'url']], mark: 'key', message });
  }
  return found;
}
