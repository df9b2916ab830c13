/** Who sidecars and clients are for brokers with SASL and TLS, said once for both. */
import type { Access } from './clients/access.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { contentOf, MountedFiles } from './mounted-files.ts';
import { MECHANISMS, type Mechanism, USERS, type User } from './security.ts';
import type { RoutePlan } from './sidecar.ts';
import { unsecuredToken } from './token.ts';

/** What a client shows the broker, or the sidecar where that plays the broker's part. */
export function as(user: User, mechanism: Mechanism, password: string = USERS[user]): NonNullable<Access['sasl']> {
  return { mechanism, username: user, ...(mechanism === 'OAUTHBEARER' ? {} : { password }) };
}

/** A client's access to a listener of the cluster, direct. */
export function directAccess(cluster: KafkaCluster, user: User, mechanism: Mechanism, tls: boolean): Access {
  const { caFile } = cluster.certificates.authority;
  return { sasl: as(user, mechanism), ...(tls ? { caFile } : {}) };
}

/** Files of one identity, to be mounted: an authority, a password, a token. */
export function identityFiles(cluster: KafkaCluster, user: User): MountedFiles {
  return new MountedFiles({
    'ca.pem': contentOf(cluster.certificates.authority.caFile),
    password: USERS[user],
    token: unsecuredToken(user),
  });
}

/** `upstream.sasl` with everything secret in files. */
export function upstreamSasl(user: User, mechanism: Mechanism, files: MountedFiles): Record<string, unknown> {
  return mechanism === 'OAUTHBEARER'
    ? { mechanism, tokenFile: files.path('token') }
    : { mechanism, username: user, passwordFile: files.path('password') };
}

export interface Passage {
  readonly mechanism: Mechanism;
  readonly tls: boolean;
  /** The route's name. */
  readonly name: string;
}

/** Every mechanism, over TLS and without. */
export const PASSAGES: readonly Passage[] = MECHANISMS.flatMap((mechanism) =>
  [true, false].map((tls) => ({ mechanism, tls, name: `${mechanism.toLowerCase()}-${tls ? 'tls' : 'clear'}` })),
);

/** A route whose upstreams authenticate themselves; its clients need nothing. */
export function passageRoute({ mechanism, tls, name }: Passage, user: User, files: MountedFiles): RoutePlan {
  return {
    name,
    listener: tls ? 'HIDDEN' : 'HIDDEN_CLEAR',
    upstream: {
      sasl: upstreamSasl(user, mechanism, files),
      ...(tls ? { tls: { caFile: files.path('ca.pem') } } : {}),
    },
  };
}
