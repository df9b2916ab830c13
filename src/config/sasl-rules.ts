/** Checks between the keys of `upstream.sasl`, or of a user's `sasl`: each mechanism has its own. */
import { isLoopback } from './address.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { TokenEndpointConfig, UpstreamSaslConfig } from './security.ts';

type Key = Exclude<keyof UpstreamSaslConfig, 'mechanism'>;

interface MechanismKeys {
  /** Exactly one of each. */
  readonly oneOf: readonly (readonly Key[])[];
  readonly optional: readonly Key[];
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

/** @param at where the mapping stands */
export function saslFaults(sasl: UpstreamSaslConfig, at: KeyPath): RuleFault[] {
  const { mechanism } = sasl;
  const { oneOf, optional } = KEYS[mechanism];
  const known = [...oneOf.flat(), ...optional];
  const given = (Object.keys(sasl) as (Key | 'mechanism')[]).filter(
    (key): key is Key => key !== 'mechanism' && sasl[key] !== undefined,
  );
  const strays = given
    .filter((key) => !known.includes(key))
    .map((key): RuleFault => {
      const message = `${mechanism} has no use for it: remove it; its keys are ${known.join(', ')}`;
      return { at: [[...at, key]], on: [[...at, 'mechanism']], mark: 'key', message };
    });
  const choices = oneOf.flatMap((keys) => choiceFaults(sasl, keys, at, `${mechanism} needs ${keys.join(' or ')}`));
  const endpoint = sasl.tokenEndpoint;
  return [
    ...strays,
    ...choices.map((fault): RuleFault => ({ ...fault, on: [...fault.on, [...at, 'mechanism']] })),
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
  if (chosen.length === 0) return [{ at: [at], on: paths, mark: 'key', message: missing }];
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
