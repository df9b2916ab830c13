/** Who is somebody on a route, and what that means for its connections, in words. */
import type { EffectiveRoute } from './effective.ts';
import type { UpstreamAuthConfig, UpstreamSaslConfig } from './security.ts';

export interface IdentityDescription {
  /** Who the sidecar's connections belong to, for the brokers. */
  readonly brokersSee: string;
  /** What clients must show to the sidecar. */
  readonly clientsShow: string;
  readonly shared: string;
  /** Which clients keep a connection of their own, and for how long. */
  readonly pinned: string;
  /** What closes a client that asks for it. */
  readonly refused: string;
}

const OF_BROKERS = 'requests that only brokers send to each other';

export function describeIdentity(route: EffectiveRoute): IdentityDescription {
  return {
    brokersSee: brokersSee(route),
    clientsShow: clientsShow(route),
    shared: shared(route),
    pinned: pinned(route),
    refused: refused(route),
  };
}

function brokersSee({ protocol, upstream, listenSasl }: EffectiveRoute): string {
  const over = upstream.tls === null ? 'in plaintext' : 'over TLS';
  if (protocol === 'pulsar' && upstream.auth === null) return `what each client shows, passed on ${over}`;
  if (upstream.saslPassThrough) return `whom each client authenticates as, ${over}`;
  const own = `${ownName(upstream)}, ${over}`;
  return listenSasl === null ? own : `each user as its own sasl says, else ${own}`;
}

/** The route's own name, such as `app (SCRAM-SHA-512)`. */
function ownName({ sasl, auth, tls }: EffectiveRoute['upstream']): string {
  if (auth !== null) return authName(auth);
  if (sasl !== null) return saslName(sasl);
  const certificate = tls?.certificateFile ?? tls?.pkcs12File;
  return certificate === undefined ? 'nobody in particular' : `whom the certificate in ${certificate} names`;
}

function saslName({ mechanism, username, usernameFile, profile, roleArn }: UpstreamSaslConfig): string {
  const byFile = usernameFile === undefined ? undefined : `whom ${usernameFile} names`;
  const byToken = mechanism === 'AWS_MSK_IAM' ? (roleArn ?? profile ?? 'an AWS identity') : 'whom its token names';
  return `${username ?? byFile ?? byToken} (${mechanism})`;
}

function authName({ method, username, usernameFile }: UpstreamAuthConfig): string {
  const byFile = usernameFile === undefined ? 'whom its token names' : `whom ${usernameFile} names`;
  return `${username ?? byFile} (${method})`;
}

function clientsShow({ protocol, upstream, listenTls, listenSasl }: EffectiveRoute): string {
  const over = listenTls === null ? 'in plaintext' : 'over TLS';
  if (protocol === 'pulsar' && upstream.auth === null) {
    const certificate = listenTls?.clientCaFile === undefined ? '' : 'a certificate, and ';
    return `${certificate}what the brokers ask for, ${over}`;
  }
  if (upstream.saslPassThrough) return `to the brokers what those ask for, ${over}`;
  const bySubject = listenTls?.subjectIsUser === true;
  const password =
    listenSasl === null || listenSasl.mechanisms.length === 0 ? [] : [passwordWords(listenSasl.mechanisms)];
  const certificate = bySubject ? ['a certificate that names their user'] : ['a certificate'];
  const asked = [...(listenTls?.clientCaFile === undefined ? [] : certificate), ...password];
  // A certificate that names a user is enough.
  return `${asked.length === 0 ? 'nothing' : asked.join(bySubject ? ', or ' : ' and ')}, ${over}`;
}

function passwordWords(mechanisms: readonly string[]): string {
  return `user and password (${mechanisms.join(', ')})`;
}

function shared(route: EffectiveRoute): string {
  const { protocol, upstream, listenSasl, clientMaxIdleSeconds: idle } = route;
  if (protocol === 'tcp') return 'nothing: every client has a broker connection of its own, and both go together';
  if (protocol === 'pulsar') return sharedByProducers(upstream.auth);
  if (upstream.saslPassThrough) {
    const lever =
      idle === 0
        ? 'clientMaxIdleSeconds, which is off, would close idle clients and their connections'
        : `clients are closed after ${idle} s idle (clientMaxIdleSeconds), and their connections with them`;
    return `nothing: every client keeps a broker connection of its own for as long as it lives; ${lever}`;
  }
  if (listenSasl !== null) return 'the clients of one user share broker connections; two users never do';
  return `all clients share broker connections as ${ownName(upstream)}`;
}

function sharedByProducers(auth: UpstreamAuthConfig | null): string {
  const whose = auth === null ? 'of clients that show the same' : `of all clients, as ${authName(auth)}`;
  return `lookups and producers ${whose}; producers only with equal protocol version and features`;
}

function pinned({ protocol, upstream, keepTopicsAlive }: EffectiveRoute): string {
  if (protocol === 'tcp') return 'every client (opaque)';
  if (protocol === 'pulsar') {
    const producers = keepTopicsAlive ? '; and the connections of all producers, while they are open' : '';
    return `on a connection of its own: who consumes or reads (consumer), has transactions (transaction), watches topics (watcher), produces to non-persistent topics (non_persistent) or alone (exclusive_producer), or sends what is not known (unknown_api); and who sends what is large (bulk), until it is idle${producers}`;
  }
  if (upstream.saslPassThrough) return 'every client from its authentication on (sasl)';
  return (
    'who sends with acks=0, while it does (acks_zero); share groups (share_session) and whoever sends what is ' +
    'not known (unknown_api), until they close'
  );
}

function refused({ protocol, upstream, listenSasl }: EffectiveRoute): string {
  if (protocol === 'tcp') return 'nothing';
  if (protocol === 'pulsar')
    return 'a broker that neither a lookup nor upstream.allowedBrokers has named (broker_not_allowed)';
  if (upstream.saslPassThrough) return OF_BROKERS;
  if (listenSasl !== null) return `who does not authenticate, and ${OF_BROKERS}`;
  return `SASL, for which the route asks nobody, and ${OF_BROKERS}`;
}
