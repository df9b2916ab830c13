/** How a client proves who it is, and believes whom it talks to, in the words of each library. */
import { readFileSync } from 'node:fs';
import type { Mechanism } from '../security.ts';
import type { DriverKind } from './driver.ts';

export interface Access {
  /** TLS, believing this authority; plaintext if absent. */
  readonly caFile?: string;
  /** What the client shows in the handshake. */
  readonly certificate?: { readonly certificateFile: string; readonly keyFile: string; readonly storeFile: string };
  readonly sasl?: {
    readonly mechanism: Mechanism;
    readonly username: string;
    /** Not for OAUTHBEARER: there the client makes an unsecured token for `username` itself. */
    readonly password?: string;
  };
}

/** Settings to add to a client's own; for the libraries for Node under the keys of their clients' constructors. */
export function accessSettings(kind: DriverKind, access: Access): Record<string, unknown> {
  switch (kind) {
    case 'librdkafka':
      return librdkafka(access);
    case 'java':
      return java(access);
    case 'kafkajs':
    case 'platformatic':
      return { access: node(access) };
  }
}

function protocol({ caFile, sasl }: Access): string {
  if (sasl === undefined) return caFile === undefined ? 'PLAINTEXT' : 'SSL';
  return caFile === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL';
}

function librdkafka(access: Access): Record<string, unknown> {
  const { caFile, certificate, sasl } = access;
  return {
    'security.protocol': protocol(access),
    ...(caFile === undefined ? {} : { 'ssl.ca.location': caFile }),
    ...(certificate === undefined
      ? {}
      : { 'ssl.certificate.location': certificate.certificateFile, 'ssl.key.location': certificate.keyFile }),
    ...(sasl === undefined ? {} : { 'sasl.mechanism': sasl.mechanism }),
    ...(sasl?.mechanism === 'OAUTHBEARER'
      ? { 'enable.sasl.oauthbearer.unsecure.jwt': true, 'sasl.oauthbearer.config': `principal=${sasl.username}` }
      : {}),
    ...(sasl?.password === undefined ? {} : { 'sasl.username': sasl.username, 'sasl.password': sasl.password }),
  };
}

function java(access: Access): Record<string, unknown> {
  const { caFile, certificate, sasl } = access;
  return {
    'security.protocol': protocol(access),
    ...(caFile === undefined ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': caFile }),
    ...(certificate === undefined
      ? {}
      : { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': certificate.storeFile }),
    ...(sasl === undefined ? {} : { 'sasl.mechanism': sasl.mechanism, 'sasl.jaas.config': jaas(sasl) }),
  };
}

function jaas({ mechanism, username, password }: NonNullable<Access['sasl']>): string {
  const modules = 'org.apache.kafka.common.security';
  if (mechanism === 'OAUTHBEARER') {
    return `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${username}";`;
  }
  const module = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  return `${modules}.${module} required username="${username}" password="${password}";`;
}

/** What travels to a driver in Node as JSON. */
export interface NodeAccess {
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: Access['sasl'];
}

function node({ caFile, certificate, sasl }: Access): NodeAccess {
  return {
    ...(caFile === undefined
      ? {}
      : {
          tls: {
            ca: readFileSync(caFile, 'utf8'),
            ...(certificate === undefined
              ? {}
              : {
                  cert: readFileSync(certificate.certificateFile, 'utf8'),
                  key: readFileSync(certificate.keyFile, 'utf8'),
                }),
          },
        }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}
