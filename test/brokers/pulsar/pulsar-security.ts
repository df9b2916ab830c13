/** Brokers that ask who one is: signed tokens (HS256, RFC 7519), and TLS where the sidecar comes. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ClusterCertificates } from '../certificates.ts';
import type { PulsarListener } from './pulsar-node.ts';

const ADMIN = 'admin';
const TOKENS = 'org.apache.pulsar.client.impl.auth.AuthenticationToken';

function part(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}

export class PulsarSecurity {
  /** The listener that is behind TLS. */
  readonly secured: PulsarListener = 'HIDDEN';
  readonly certificates: ClusterCertificates;
  readonly #key = randomBytes(32);

  private constructor(certificates: ClusterCertificates) {
    this.certificates = certificates;
  }

  static async make(folder: string): Promise<PulsarSecurity> {
    return new PulsarSecurity(await ClusterCertificates.make(join(folder, 'certificates'), [1, 2]));
  }

  /** @param lifeSeconds from now on; undefined: it has no end */
  token(subject: string, lifeSeconds?: number): string {
    const now = Math.floor(Date.now() / 1000);
    const end = lifeSeconds === undefined ? {} : { exp: now + lifeSeconds };
    const signed = `${part({ alg: 'HS256' })}.${part({ sub: subject, iat: now, ...end })}`;
    return `${signed}.${createHmac('sha256', this.#key).update(signed).digest('base64url')}`;
  }

  /** Of whoever may do all. */
  get adminToken(): string {
    return this.token(ADMIN);
  }

  /** For broker.conf. */
  get properties(): Record<string, string | number | boolean> {
    const { authority, brokers } = this.certificates;
    return {
      authenticationEnabled: true,
      authenticationProviders: 'org.apache.pulsar.broker.authentication.AuthenticationProviderToken',
      tokenSecretKey: `data:;base64,${this.#key.toString('base64')}`,
      // Whoever's token has ended is asked for another one no later than this.
      authenticationRefreshCheckSeconds: 1,
      authorizationEnabled: true,
      superUserRoles: ADMIN,
      brokerClientAuthenticationPlugin: TOKENS,
      brokerClientAuthenticationParameters: `token:${this.adminToken}`,
      tlsCertificateFilePath: brokers.certificateFile,
      tlsKeyFilePath: brokers.keyFile,
      tlsTrustCertsFilePath: authority.caFile,
    };
  }
}
