/** What the core needs to know about one route; the configuration's effective route has this shape. */

/** A host name or address and a port. IPv6 addresses stand without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** As logged, shown, and looked up in `dialAddresses`. */
export function addressOf({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

export interface PoolOptions {
  readonly maxConnectionsPerBroker: number;
  readonly growAfterWaitMilliseconds: number;
  readonly leaseMaxHoldMilliseconds: number;
  readonly slowAnswerMilliseconds: number;
  readonly maxWaiters: number;
  readonly maxWaitMilliseconds: number;
  readonly excessLingerSeconds: number;
  readonly minWarmConnectionsPerBroker: number;
  readonly validateAfterIdleSeconds: number;
  readonly maxConnectionAgeSeconds: number;
}

export interface LimitOptions {
  readonly maxFrameBytes: number;
  readonly wholeFrameBytes: number;
  readonly clientStallSeconds: number;
  readonly responseTimeoutSeconds: number;
}

export interface RouteOptions {
  readonly name: string;
  readonly protocol: string;
  readonly listen: HostPort;
  readonly upstream: {
    readonly bootstrap: readonly HostPort[];
    /** Advertised `host:port` to the address that is dialled instead. */
    readonly dialAddresses: Readonly<Record<string, HostPort>>;
    readonly dialTimeoutMilliseconds: number;
  };
  readonly brokers: {
    readonly portBase?: number | undefined;
    /** Node name to local port. */
    readonly ports: Readonly<Record<string, number>>;
    readonly listenHost: string;
    readonly advertisedHost: string;
    readonly removeAfterSeconds: number;
  };
  readonly autoReleaseIdleConnectionsEnabled: boolean;
  readonly connectionMaxIdleSeconds: number;
  readonly connectionIdleDetectionIntervalSeconds: number;
  readonly housekeepingLingerSeconds: number;
  readonly clientMaxIdleSeconds: number;
  readonly maxClients: number;
  readonly shutdownGraceSeconds: number;
  readonly pool: PoolOptions;
  readonly limits: LimitOptions;
}
