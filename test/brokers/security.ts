/**
 * What secures the listeners that clients and sidecars use. The brokers among themselves, and those who judge, stay on
 * plaintext, where everybody is ANONYMOUS.
 */
import type { Listener } from './kafka-node.ts';

export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;
export type Mechanism = (typeof MECHANISMS)[number];

export interface Security {
  /** `mutual`: who shows no certificate is turned away. */
  readonly tls?: boolean | 'mutual';
  readonly sasl?: boolean;
  /** KIP-368: how long a broker believes who somebody was. */
  readonly reauthMilliseconds?: number;
  /** Nobody but ANONYMOUS may do anything that was not allowed (StandardAuthorizer); every decision is logged. */
  readonly acls?: boolean;
}

/** The password of each user, for PLAIN and both kinds of SCRAM. */
export const USERS = { alice: 'alice-secret', bob: 'bob-secret' } as const;
export type User = keyof typeof USERS;

/** Listeners that stay without TLS where the others have it, so that one cluster serves both. */
const CLEAR: ReadonlySet<Listener> = new Set(['DIRECT_CLEAR', 'HIDDEN_CLEAR']);

/** `--add-scram` arguments for `StorageTool format`. */
export const SCRAM_ARGUMENTS: readonly string[] = Object.entries(USERS).flatMap(([name, password]) =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${name},password=${password}]`,
  ]),
);

export function securityProtocol(listener: Listener, { tls = false, sasl = false }: Security): string {
  if (listener === 'BROKERS') return 'PLAINTEXT';
  const secured = tls !== false && !CLEAR.has(listener);
  if (sasl) return secured ? 'SASL_SSL' : 'SASL_PLAINTEXT';
  return secured ? 'SSL' : 'PLAINTEXT';
}

export interface Stores {
  readonly keyStoreFile: string;
  readonly trustStoreFile: string;
}

/**
 * Server properties of a broker.
 *
 * @param stores of brokers with TLS
 */
export function securityProperties(
  listeners: readonly Listener[],
  security: Security,
  stores: Stores | undefined,
): Record<string, string | number> {
  const { sasl = false, acls = false, reauthMilliseconds } = security;
  const properties: Record<string, string | number> = {};
  for (const listener of listeners) {
    const protocol = securityProtocol(listener, security);
    if (protocol.startsWith('SASL')) Object.assign(properties, saslProperties(listener, reauthMilliseconds));
    if (protocol.endsWith('SSL')) Object.assign(properties, tlsProperties(listener, security.tls, stores));
  }
  if (sasl) properties['sasl.enabled.mechanisms'] = MECHANISMS.join(',');
  if (acls) {
    properties['authorizer.class.name'] = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
    properties['super.users'] = 'User:ANONYMOUS';
  }
  return properties;
}

function prefixOf(listener: Listener): string {
  return `listener.name.${listener.toLowerCase()}`;
}

function saslProperties(listener: Listener, reauthMilliseconds: number | undefined): Record<string, string | number> {
  const prefix = prefixOf(listener);
  const package_ = 'org.apache.kafka.common.security';
  const users = Object.entries(USERS).map(([name, password]) => `user_${name}="${password}"`);
  const unsecured = `${package_}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`;
  const scram = `${package_}.scram.ScramLoginModule required;`;
  const properties: Record<string, string | number> = {
    [`${prefix}.sasl.enabled.mechanisms`]: MECHANISMS.join(','),
    [`${prefix}.plain.sasl.jaas.config`]: `${package_}.plain.PlainLoginModule required ${users.join(' ')};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: scram,
    [`${prefix}.oauthbearer.sasl.jaas.config`]: `${package_}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: unsecured,
  };
  if (reauthMilliseconds !== undefined) {
    for (const mechanism of MECHANISMS) {
      properties[`${prefix}.${mechanism.toLowerCase()}.connections.max.reauth.ms`] = reauthMilliseconds;
    }
  }
  return properties;
}

function tlsProperties(
  listener: Listener,
  tls: Security['tls'],
  stores: Stores | undefined,
): Record<string, string | number> {
  if (stores === undefined) throw new Error('TLS needs certificates');
  const prefix = prefixOf(listener);
  return {
    [`${prefix}.ssl.keystore.type`]: 'PEM',
    [`${prefix}.ssl.keystore.location`]: stores.keyStoreFile,
    [`${prefix}.ssl.truststore.type`]: 'PEM',
    [`${prefix}.ssl.truststore.location`]: stores.trustStoreFile,
    [`${prefix}.ssl.client.auth`]: tls === 'mutual' ? 'required' : 'none',
  };
}
