/** What of the configuration identities are made of; the effective route has this shape. Paths are absolute. */
import type { PasswordMechanism, Secret } from '../contract/credential.ts';
import type { ListenTlsConfig, UpstreamTlsConfig } from './tls-material.ts';

/** `upstream.sasl.tokenEndpoint`; one of the two secrets is there. */
export interface TokenEndpointOptions {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecretFile?: string | undefined;
  readonly clientSecret?: Secret | undefined;
  readonly scope?: string | undefined;
  readonly caFile?: string | undefined;
}

/** `upstream.sasl`; which keys are there depends on the mechanism. */
export interface SaslOptions {
  readonly mechanism: PasswordMechanism | 'OAUTHBEARER' | 'AWS_MSK_IAM';
  readonly username?: string | undefined;
  readonly usernameFile?: string | undefined;
  readonly password?: Secret | undefined;
  readonly passwordFile?: string | undefined;
  readonly token?: Secret | undefined;
  readonly tokenFile?: string | undefined;
  readonly tokenEndpoint?: TokenEndpointOptions | undefined;
  readonly extensions?: Readonly<Record<string, string>> | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
}

/** `upstream.auth`, of a protocol that has other names for what is shown. */
export interface AuthOptions extends Omit<SaslOptions, 'mechanism'> {
  readonly method: 'token' | 'basic';
}

/** A user of `listenSasl.credentialsFile`. */
export interface UserOptions {
  readonly password?: Secret | undefined;
  readonly passwordFile?: string | undefined;
  /** Absent: brokers take this user for the route's own. */
  readonly sasl?: SaslOptions | undefined;
}

export interface UsersFile {
  readonly users: Readonly<Record<string, UserOptions>>;
}

export interface IdentityOptions {
  readonly name: string;
  readonly upstream: {
    readonly tls: UpstreamTlsConfig | null;
    readonly sasl: SaslOptions | null;
    /** Absent or null: `sasl` says, or nothing does. */
    readonly auth?: AuthOptions | null;
  };
  readonly listenTls: ListenTlsConfig | null;
  readonly listenSasl: { readonly mechanisms: readonly PasswordMechanism[]; readonly credentialsFile: string } | null;
}
