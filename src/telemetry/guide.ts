/**
 * What each member of the closed lists (of dials: dial-guide.ts) means and what to do about it: rows of docs/reasons.md (a test keeps them
 * equal), and the level and the remedy of a log line.
 */
import type { CloseReason, PinReason, ReleaseReason } from '../contract/reasons.ts';

export interface Advice {
  /** How an operator should take it: `debug` is the product at work, `info` a change, `warn` trouble. */
  readonly level: 'debug' | 'info' | 'warn';
  readonly meaning: string;
  readonly remedy: string;
}

const NOTHING = 'Nothing: this is the product at work.';

export const RELEASE_GUIDE: Readonly<Record<ReleaseReason, Advice>> = {
  idle: {
    level: 'debug',
    meaning: 'It carried no valid data for `connectionMaxIdleSeconds`, and the detector let it go.',
    remedy: NOTHING,
  },
  housekeeping_done: {
    level: 'debug',
    meaning: 'It was opened for housekeeping alone, and `housekeepingLingerSeconds` are over.',
    remedy: NOTHING,
  },
  excess: {
    level: 'debug',
    meaning: 'It stood beyond `pool.maxConnectionsPerBroker` and was quiet for `pool.excessLingerSeconds`.',
    remedy: 'Nothing, unless it happens all the time: then raise `pool.maxConnectionsPerBroker`.',
  },
  max_age: {
    level: 'debug',
    meaning: 'It was older than `pool.maxConnectionAgeSeconds` and not lent to anyone.',
    remedy: NOTHING,
  },
  session_expired: {
    level: 'debug',
    meaning: 'The broker serves an authenticated connection for a limited time only (KIP-368), which was nearly over.',
    remedy: NOTHING,
  },
  broker_closed: {
    level: 'info',
    meaning: 'The broker closed it in good order.',
    remedy:
      'Nothing if a broker was restarted. If it repeats, the broker closes idle connections before we do: lower `connectionMaxIdleSeconds` and set `idleCeilingSeconds` to its `connections.max.idle.ms`.',
  },
  broker_reset: {
    level: 'info',
    meaning: 'The broker, or a device on the way, reset it, or the network failed.',
    remedy:
      'Look at the broker. If it happens after a silence, a load balancer or firewall cuts idle connections: set `idleCeilingSeconds` to its limit.',
  },
  dial_failed: {
    level: 'debug',
    meaning: 'It never became usable: the dial failed.',
    remedy: 'See the reasons of dial failures below.',
  },
  unsolicited_bytes: {
    level: 'warn',
    meaning: 'The broker sent bytes while nothing was owed to anyone.',
    remedy: 'Check that the address is a broker of this protocol and not a proxy that adds bytes.',
  },
  protocol_error: {
    level: 'warn',
    meaning: 'The broker sent a frame that cannot be right: a bad length, or a body that does not parse.',
    remedy: 'Check that the port speaks this protocol, without TLS, and that the broker version is supported.',
  },
  wrong_correlation_id: {
    level: 'warn',
    meaning: 'The broker answered with a correlation id that was not the next one owed; nobody got that answer.',
    remedy: 'Report it with the version of the broker: no broker should do this.',
  },
  response_timeout: {
    level: 'warn',
    meaning:
      'An answer was owed and no byte of progress came for `limits.responseTimeoutSeconds`, beyond the wait that the request itself allowed.',
    remedy: 'Look at the broker: it hangs, or the network drops packets. Clients that were owed an answer were closed.',
  },
  abandoned: {
    level: 'debug',
    meaning: 'Its client died while answers were owed to it, so the connection could not be lent again.',
    remedy: 'Nothing; if it is frequent, find out why clients give up: `client_reset` or `client_closed` tells which.',
  },
  client_closed: {
    level: 'debug',
    meaning: 'It was pinned hard to a client, and that client closed.',
    remedy: NOTHING,
  },
  cluster_changed: {
    level: 'info',
    meaning: 'The broker moved, left, or turned out to belong to another cluster or node.',
    remedy: 'Nothing after a planned change. Otherwise check DNS and `upstream.dialAddresses`.',
  },
  condemned: {
    level: 'debug',
    meaning: 'It was condemned while in use and let go once it was free.',
    remedy: NOTHING,
  },
  operator: {
    level: 'info',
    meaning: 'An operator asked for it: `slackwater reap`, or `DELETE /v1/upstreams/:id`.',
    remedy: NOTHING,
  },
  shutdown: { level: 'debug', meaning: 'The sidecar is shutting down.', remedy: NOTHING },
};

export const CLOSE_GUIDE: Readonly<Record<CloseReason, Advice>> = {
  client_closed: { level: 'debug', meaning: 'The application closed its socket.', remedy: NOTHING },
  client_reset: {
    level: 'debug',
    meaning: 'The application reset its socket, or its host went away.',
    remedy: 'Nothing, unless it is frequent: then look for time-outs in the log of the application.',
  },
  upstream_lost: {
    level: 'warn',
    meaning:
      'The broker connection that owed this client an answer, or had part of its request, was lost; the client is closed just as if it had been connected directly.',
    remedy: 'Look at the broker. Clients reconnect and retry by themselves.',
  },
  upstream_unavailable: {
    level: 'warn',
    meaning: 'The broker could not be reached, and this client waited for it.',
    remedy: 'Look at the reason of the dial failure. Clients see a dead broker and retry by themselves.',
  },
  wait_timeout: {
    level: 'warn',
    meaning: 'It waited longer than `pool.maxWaitMilliseconds` for a broker connection.',
    remedy: 'Raise `pool.maxConnectionsPerBroker`, or find out why the broker answers slowly (`lease_wait_seconds`).',
  },
  too_many_waiters: {
    level: 'warn',
    meaning: 'More than `pool.maxWaiters` clients were waiting for a broker connection.',
    remedy: 'Raise `pool.maxConnectionsPerBroker`; the broker is slower than its clients ask.',
  },
  too_many_clients: {
    level: 'warn',
    meaning: 'The route already had `maxClients` sockets.',
    remedy: 'Raise `maxClients`, or find out who opens so many sockets (`slackwater clients`).',
  },
  protocol_error: {
    level: 'warn',
    meaning: 'It sent a frame that cannot be right: a bad length, or a header that does not parse.',
    remedy: 'Check that whoever connects to this port speaks the protocol of the route.',
  },
  frame_too_large: {
    level: 'warn',
    meaning: 'It announced a frame larger than `limits.maxFrameBytes`.',
    remedy: 'Raise `limits.maxFrameBytes` if requests of this size are meant.',
  },
  tls_on_plaintext: {
    level: 'warn',
    meaning: 'It began a TLS handshake on a port that speaks plaintext.',
    remedy:
      'Let the application speak plaintext, for the sidecar is on the same host: `security.protocol` PLAINTEXT or SASL_PLAINTEXT with Kafka, a service URL `pulsar://` with Pulsar. Or give the route `listenTls`.',
  },
  plaintext_on_tls: {
    level: 'warn',
    meaning: 'It spoke plaintext to a port that expects TLS (`listenTls`).',
    remedy:
      'Let the application speak TLS (`security.protocol` SSL or SASL_SSL with Kafka, a service URL `pulsar+ssl://` with Pulsar), or remove `listenTls` of the route.',
  },
  tls_failed: {
    level: 'warn',
    meaning: 'Its TLS handshake failed: one side does not trust the other, or they have no version in common.',
    remedy:
      "If the detail says alert, the application refused the sidecar's certificate: give it the authority, and connect by a name in the certificate. If it names a certificate, the application showed none, or one that `listenTls.clientCaFile` has not signed.",
  },
  authentication_failed: {
    level: 'warn',
    meaning:
      'It could not authenticate: an unknown user, a wrong password, a mechanism that is not offered; with Pulsar, the brokers refuse what it shows them.',
    remedy:
      'Compare its SASL settings with `listenSasl` and the file that `listenSasl.credentialsFile` names; with Pulsar, give it a token or password that the brokers take.',
  },
  http_on_kafka: {
    level: 'warn',
    meaning: 'It sent an HTTP request to a port that speaks Kafka.',
    remedy: 'Point the probe or browser at the health listener (9902) or the admin listener (9901).',
  },
  refused_api: {
    level: 'warn',
    meaning:
      'It asked for something that the sidecar does not pass on: a broker-internal API, SASL on a route that asks nobody for it, or, with Pulsar, to speak for others as a proxy does.',
    remedy:
      'Connect without SASL, or let the route have `listenSasl` or `upstream.saslPassThrough`; tools that speak as a broker, and proxies, must connect to the brokers directly.',
  },
  stalled: {
    level: 'warn',
    meaning: 'It fell silent in the middle of a frame, or did not read, for `limits.clientStallSeconds`.',
    remedy: 'Look at the application: it hangs, or its host is short of CPU.',
  },
  versions_changed: {
    level: 'info',
    meaning: 'What this client was told about API versions is no longer right for the broker.',
    remedy: 'Nothing: it reconnects and asks again. Expected when brokers are upgraded or downgraded.',
  },
  broker_not_allowed: {
    level: 'warn',
    meaning:
      'It named a broker (`proxy_to_broker_url`) that no lookup has named and that `upstream.allowedBrokers` does not match.',
    remedy: 'If the broker is one of the cluster, add it to `upstream.allowedBrokers`; else find out who asks for it.',
  },
  broker_removed: {
    level: 'info',
    meaning: 'Its broker left the cluster more than `brokers.removeAfterSeconds` ago.',
    remedy: 'Nothing: it finds the other brokers by itself.',
  },
  identity_removed: {
    level: 'warn',
    meaning: 'The user that it authenticated as was removed from `listenSasl.credentialsFile`.',
    remedy: 'Add the user again, or point the application at another one.',
  },
  idle: {
    level: 'debug',
    meaning: 'It sent no valid data for `clientMaxIdleSeconds`.',
    remedy: 'Nothing; set `clientMaxIdleSeconds: 0` if sockets of applications should stay open for ever.',
  },
  operator: { level: 'info', meaning: 'An operator asked for it: `DELETE /v1/clients/:id`.', remedy: NOTHING },
  shutdown: { level: 'debug', meaning: 'The sidecar is shutting down.', remedy: NOTHING },
};

export const PIN_GUIDE: Readonly<Record<PinReason, Advice>> = {
  acks_zero: {
    level: 'debug',
    meaning:
      'It produces with acks=0: no answer proves that the broker has read its requests, so nobody else may use the connection until a fence of ours was answered.',
    remedy: 'Use acks=1 or acks=all to share connections.',
  },
  unknown_api: {
    level: 'debug',
    meaning: 'It sent a request that the sidecar does not know, so the connection may carry a state of its own.',
    remedy: 'Upgrade the sidecar if the API is a public one.',
  },
  share_session: {
    level: 'debug',
    meaning: 'It consumes in a share group: the broker binds the session to the connection.',
    remedy: NOTHING,
  },
  sasl: {
    level: 'debug',
    meaning: 'It authenticated itself to the broker: the connection is its own.',
    remedy:
      'Set `clientMaxIdleSeconds`, or let the sidecar have the credentials (`upstream.sasl`) in place of `upstream.saslPassThrough`.',
  },
  opaque: {
    level: 'debug',
    meaning: 'The protocol of the route is opaque (`tcp`): both sockets live and idle together.',
    remedy: 'Use a route whose protocol is known, if there is one.',
  },
  consumer: {
    level: 'debug',
    meaning: 'It consumes or reads: the broker sends it messages over this connection.',
    remedy: 'Nothing; close consumers that are not needed.',
  },
  transaction: {
    level: 'debug',
    meaning: 'It has transactions: their coordinator binds them to the connection.',
    remedy: 'Nothing; `enableTransaction(false)` if the application does not use any.',
  },
  watcher: {
    level: 'debug',
    meaning: 'It watches topics (a subscription to a pattern): the broker tells it of new ones over this connection.',
    remedy: NOTHING,
  },
  non_persistent: {
    level: 'debug',
    meaning:
      'It produces to a non-persistent topic: brokers limit such messages for each connection, and drop the others.',
    remedy: NOTHING,
  },
  exclusive_producer: {
    level: 'debug',
    meaning:
      'It produces alone (access mode other than Shared): whoever lets go of such a topic may lose it to another.',
    remedy: 'Use the access mode Shared, if others may produce as well.',
  },
  bulk: {
    level: 'debug',
    meaning:
      'It sends messages larger than `limits.wholeFrameBytes`, or has 50 of one producer without a receipt: others would wait behind them.',
    remedy: 'Nothing: it shares again once it is quiet. `limits.wholeFrameBytes` says what is large.',
  },
};
