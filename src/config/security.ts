/**
 * Who we are for brokers, and who clients are for us: the keys of TLS and SASL. What needs two keys to judge stands in
 * `tls-rules.ts`, `sasl-rules.ts` and `route-rules.ts`.
 */
import { z } from 'zod';
import { PASSWORD_MECHANISMS } from '../contract/credential.ts';
import { filePath, flag, hidden, oneOf, printable, secret, webAddress } from './scalars.ts';

export const SASL_MECHANISMS = [...PASSWORD_MECHANISMS, 'OAUTHBEARER', 'AWS_MSK_IAM'] as const;
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

const minVersion = () => oneOf(TLS_VERSIONS).describe('The oldest version that is accepted.').default('TLSv1.2');
const keyPassword = () => filePath().describe('The password of `keyFile`, if that is encrypted.').optional();

export const upstreamTlsSchema = z
  .strictObject(
    {
      caFile: filePath()
        .describe("The authorities (PEM) that brokers' certificates must come from. By default those of the system.")
        .optional(),
      certificateFile: filePath()
        .describe('The certificate (PEM) that brokers are shown, with those that lead to its authority behind it.')
        .optional(),
      keyFile: filePath().describe('The key (PEM) of `certificateFile`.').optional(),
      keyPasswordFile: keyPassword(),
      pkcs12File: filePath()
        .describe('Certificate and key in one file (PKCS#12), in place of `certificateFile` and `keyFile`.')
        .optional(),
      pkcs12PasswordFile: filePath().describe('The password of `pkcs12File`.').optional(),
      minVersion: minVersion(),
      rejectUnauthorized: flag()
        .describe(
          'Whether brokers must show a certificate for the host that they are advertised at. `false` needs ' +
            '`insecureSkipVerify`.',
        )
        .default(true),
      insecureSkipVerify: flag()
        .describe(
          'Confirms `rejectUnauthorized: false`: whoever answers is taken for a broker. Every start warns of it.',
        )
        .default(false),
    },
    { error: hidden('a mapping of keys; {} for the authorities of the system') },
  )
  .describe('Brokers are spoken to over TLS; `{}` is enough where the authorities of the system have signed.')
  .meta({ examples: [{ caFile: '/etc/slackwater/ca.pem' }] });

const tokenEndpointSchema = z
  .strictObject(
    {
      url: webAddress().describe('Where tokens are issued. `http` only on loopback.'),
      clientId: printable().describe('The client id that the sidecar is registered under.'),
      clientSecretFile: filePath().describe('The file with the client secret.').optional(),
      clientSecret: secret().describe('The client secret itself, in place of `clientSecretFile`.').optional(),
      scope: printable().describe('The scope that is asked for.').optional(),
      caFile: filePath()
        .describe(
          "The authorities (PEM) that the endpoint's certificate must come from. By default those of the system.",
        )
        .optional(),
    },
    { error: hidden('a mapping with url and clientId in it') },
  )
  .describe('Where tokens are fetched with the client credentials grant, in place of `tokenFile` and `token`.');

export const upstreamSaslSchema = z
  .strictObject(
    {
      mechanism: oneOf(SASL_MECHANISMS).describe('How brokers are told who we are.'),
      username: printable().describe('The user name, for `PLAIN` and `SCRAM-…`.').optional(),
      usernameFile: filePath().describe('The file with the user name, in place of `username`.').optional(),
      passwordFile: filePath().describe('The file with the password, for `PLAIN` and `SCRAM-…`.').optional(),
      password: secret().describe('The password itself, in place of `passwordFile`.').optional(),
      tokenFile: filePath().describe('The file with a token that somebody else renews, for `OAUTHBEARER`.').optional(),
      token: secret().describe('The token itself, in place of `tokenFile`.').optional(),
      tokenEndpoint: tokenEndpointSchema.optional(),
      extensions: z
        .record(
          z.string().regex(/^(?!auth$)[A-Za-z]+$/, { error: () => 'must be a name of letters only, other than auth' }),
          printable(),
          { error: hidden('a mapping of names to texts') },
        )
        .describe('SASL extensions of `OAUTHBEARER`, such as `{logicalCluster: lkc-1}`.')
        .optional(),
      region: printable().describe('The region of the cluster, for `AWS_MSK_IAM`.').optional(),
      profile: printable().describe('The profile whose credentials are used, for `AWS_MSK_IAM`.').optional(),
      roleArn: printable().describe('The role that is assumed, for `AWS_MSK_IAM`.').optional(),
    },
    { error: hidden('a mapping with mechanism in it') },
  )
  .describe('Who brokers take the sidecar for. All clients of the route share connections under this name.');

export const AUTH_METHODS = ['token', 'basic'] as const;

export const upstreamAuthSchema = z
  .strictObject(
    {
      method: oneOf(AUTH_METHODS).describe('How brokers are told who we are.'),
      tokenFile: filePath().describe('The file with a token that somebody else renews, for `token`.').optional(),
      token: secret().describe('The token itself, in place of `tokenFile`.').optional(),
      tokenEndpoint: tokenEndpointSchema.optional(),
      username: printable().describe('The user name, for `basic`.').optional(),
      usernameFile: filePath().describe('The file with the user name, in place of `username`.').optional(),
      passwordFile: filePath().describe('The file with the password, for `basic`.').optional(),
      password: secret().describe('The password itself, in place of `passwordFile`.').optional(),
    },
    { error: hidden('a mapping with method in it') },
  )
  .describe(
    'Who the brokers of a `pulsar` route take the sidecar for, whatever its clients show. Without it, what clients show is ' +
      'shown to the brokers, and clients that show the same share connections.',
  );

const serverKeys = {
  certificateFile: filePath().describe('The certificate (PEM) that clients are shown, with its intermediates.'),
  keyFile: filePath().describe('The key (PEM) of `certificateFile`.'),
  keyPasswordFile: keyPassword(),
};

export const listenTlsSchema = z
  .strictObject(
    {
      ...serverKeys,
      clientCaFile: filePath()
        .describe('Clients must show a certificate that these authorities (PEM) have signed.')
        .optional(),
      subjectIsUser: flag()
        .describe(
          "The common name of a client's certificate is its user of `listenSasl.credentialsFile`. Needs `clientCaFile`.",
        )
        .default(false),
      minVersion: minVersion(),
    },
    { error: hidden('a mapping with certificateFile and keyFile in it') },
  )
  .describe('Clients speak TLS to the sidecar.')
  .meta({ examples: [{ certificateFile: '/etc/slackwater/tls.crt', keyFile: '/etc/slackwater/tls.key' }] });

export const listenSaslSchema = z
  .strictObject(
    {
      mechanisms: z
        .array(oneOf(PASSWORD_MECHANISMS), { error: hidden(`a list of ${PASSWORD_MECHANISMS.join(', ')}`) })
        .describe('What clients may use. Empty only with `listenTls.subjectIsUser`.')
        .default([...PASSWORD_MECHANISMS]),
      credentialsFile: filePath().describe('Who may authenticate, and who they are for brokers (docs/security.md).'),
    },
    { error: hidden('a mapping with credentialsFile in it') },
  )
  .describe('Clients authenticate to the sidecar. Each user has broker connections apart from all others.')
  .meta({ examples: [{ credentialsFile: '/etc/slackwater/users.yaml' }] });

export const adminTlsSchema = z
  .strictObject(serverKeys, { error: hidden('a mapping with certificateFile and keyFile in it') })
  .describe('The admin listener speaks TLS.')
  .meta({ examples: [{ certificateFile: '/etc/slackwater/tls.crt', keyFile: '/etc/slackwater/tls.key' }] });

/** `upstream.tls`. Here and below, paths are absolute once a file was loaded. */
export type UpstreamTlsConfig = Readonly<z.output<typeof upstreamTlsSchema>>;
/** `upstream.sasl`, and `sasl` of a user. Which keys there are depends on the mechanism; `sasl-rules.ts` has seen to it. */
export type UpstreamSaslConfig = Readonly<z.output<typeof upstreamSaslSchema>>;
/** `upstream.auth`; `auth-rules.ts` has seen to its keys. */
export type UpstreamAuthConfig = Readonly<z.output<typeof upstreamAuthSchema>>;
export type TokenEndpointConfig = Readonly<z.output<typeof tokenEndpointSchema>>;
export type ListenTlsConfig = Readonly<z.output<typeof listenTlsSchema>>;
export type ListenSaslConfig = Readonly<z.output<typeof listenSaslSchema>>;
export type AdminTlsConfig = Readonly<z.output<typeof adminTlsSchema>>;
