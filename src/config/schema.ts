/**
 * The configuration file. This schema is type, default, check, documentation and JSON Schema in one; what needs two
 * keys to judge stands in the `-rules.ts` files.
 */
import { z } from 'zod';
import {
  address,
  brokerAddress,
  brokerPattern,
  filePath,
  flag,
  host,
  label,
  must,
  oneOf,
  port,
  portByNode,
  whole,
} from './scalars.ts';
import {
  adminTlsSchema,
  listenSaslSchema,
  listenTlsSchema,
  upstreamAuthSchema,
  upstreamSaslSchema,
  upstreamTlsSchema,
} from './security.ts';
import { dialKeys, idleKeys, limitKeys, overridable, poolKeys } from './settings.ts';

export const PROTOCOLS = ['kafka', 'pulsar', 'tcp'] as const;
/** How clients of a `pulsar` route reach the broker that a lookup has named. */
export const LOOKUP_WAYS = ['proxy', 'listeners'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const LOG_FORMATS = ['json', 'text'] as const;

const POOL = 'Broker connections that clients share, one pool for each broker.';
const LIMITS = 'Bounds on what clients and brokers may send, and on their silence.';
const addresses = { error: must('a mapping of host:port to host:port') };

const upstreamSchema = z
  .strictObject(
    {
      bootstrap: z
        .array(brokerAddress(), { error: must('a list of addresses, such as [broker-1:9092, broker-2:9092]') })
        .min(1, { error: 'must name at least one address, such as [broker-1:9092]' })
        .describe(
          'Brokers of the cluster, tried in turn. For `pulsar`: those of the service URL, each written as `host:port` or as ' +
            '`pulsar://host:port`. For `tcp`: where connections go.',
        )
        .meta({ examples: [['broker-1:9092', 'broker-2:9092']] }),
      dialAddresses: z
        .record(address(1), address(1), addresses)
        .describe(
          'Where to connect instead of an address that the cluster advertises, such as ' +
            '`{"broker-1.internal:9092": "10.0.0.7:9092"}`.',
        )
        .default({}),
      tls: upstreamTlsSchema.optional(),
      sasl: upstreamSaslSchema.optional(),
      auth: upstreamAuthSchema.optional(),
      allowedBrokers: z
        .array(brokerPattern(), { error: must('a list of addresses, such as [broker-*.pulsar.svc:6650]') })
        .describe(
          'Brokers that clients of a `pulsar` route may name although no lookup has named them: `host:port`, where `*` stands ' +
            'for any part of a name between two dots, for all of the host, or for the port.',
        )
        .meta({ examples: [['broker-*.pulsar.svc:6650']] })
        .default([]),
      saslPassThrough: flag()
        .describe(
          'Clients of a `kafka` route authenticate to the brokers themselves, each over a connection of its own: such a ' +
            'route shares nothing.',
        )
        .default(false),
      ...overridable(dialKeys),
    },
    { error: must('a mapping with bootstrap in it') },
  )
  .describe('The broker cluster behind this route.');

export const brokersSchema = z
  .strictObject({
    portBase: port()
      .describe(
        'Each broker is served on a local port of its own: this number plus its node id; for `pulsar`, plus its place among ' +
          'the brokers that were named, from 0. Required for `kafka` unless `ports` names the brokers.',
      )
      .meta({ examples: [29092] })
      .optional(),
    ports: portByNode()
      .describe(
        'Local ports of single brokers by node id, such as `{1001: 30001}`, for `pulsar` by address, such as ' +
          '`{"broker-1:6650": 30001}`; they go before `portBase`.',
      )
      .default({}),
    listenHost: host()
      .describe("Where the brokers' local ports are bound. By default the host of `listen`.")
      .meta({ examples: ['127.0.0.1'] })
      .optional(),
    advertisedHost: host()
      .describe(
        'The host that applications are told for every broker. By default the host of `listen`; required when ' +
          '`listen` or `listenHost` stands for all addresses, or when the two differ.',
      )
      .meta({ examples: ['127.0.0.1'] })
      .optional(),
    removeAfterSeconds: whole('seconds', 1, 86_400)
      .describe("A broker's local port is closed once the cluster's answers have left the broker out for so long.")
      .default(300),
    rewriteLookups: oneOf(LOOKUP_WAYS)
      .describe(
        'How clients of a `pulsar` route reach brokers. `proxy`, the default: through `listen`, as Pulsar clients go through ' +
          "Pulsar's proxy. `listeners`: each broker on a local port of its own, for clients that know no proxy.",
      )
      .meta({ examples: ['listeners'] })
      .optional(),
  })
  .describe('How the brokers of a `kafka` route are served locally, each on a port of its own.');

const routeSchema = z
  .strictObject(
    {
      name: label()
        .describe("The route's name in logs, metrics and commands.")
        .meta({ examples: ['orders'] }),
      protocol: oneOf(PROTOCOLS)
        .describe('What the application speaks. `tcp` passes bytes on as they are, one broker connection a client.')
        .meta({ examples: ['kafka'] }),
      listen: address(0)
        .describe(
          'Where the application connects: the address for its `bootstrap.servers`, or of its Pulsar service URL.',
        )
        .meta({ examples: ['127.0.0.1:9092'] }),
      upstream: upstreamSchema,
      brokers: brokersSchema.optional(),
      listenTls: listenTlsSchema.optional(),
      listenSasl: listenSaslSchema.optional(),
      stateFile: filePath()
        .describe(
          'Only with `upstream.saslPassThrough`: where the brokers that clients were told of are kept, so that their ' +
            'local ports come back after a restart.',
        )
        .meta({ examples: ['/var/lib/slackwater/orders.json'] })
        .optional(),
      keepTopicsAlive: flag()
        .describe(
          'Producers of a `pulsar` route are never parked: brokers delete topics without producer and subscription ' +
            '(`brokerDeleteInactiveTopicsEnabled`).',
        )
        .meta({ examples: [true] })
        .default(false),
      ...overridable(idleKeys),
      pool: z.strictObject(overridable(poolKeys)).describe(POOL).optional(),
      limits: z.strictObject(overridable(limitKeys)).describe(LIMITS).optional(),
    },
    { error: must('a mapping of keys, beginning with name') },
  )
  .describe('One listening address: a protocol and a cluster.');

export const configSchema = z
  .strictObject(
    {
      routes: z
        .array(routeSchema, { error: must('a list of routes') })
        .min(1, { error: 'must hold at least one route' })
        .describe('What is served: each route listens on one address and leads to one cluster.'),
      ...idleKeys,
      pool: z.strictObject(poolKeys).describe(POOL).prefault({}),
      limits: z.strictObject(limitKeys).describe(LIMITS).prefault({}),
      upstream: z.strictObject(dialKeys).describe('Connecting to brokers.').prefault({}),
      admin: z
        .strictObject({
          listen: address(0)
            .describe(
              'Where `slackwater status`, `upstreams`, `clients` and `reap` find this sidecar. Elsewhere than on loopback ' +
                'it needs `tokenFile`.',
            )
            .default('127.0.0.1:9901'),
          tokenFile: filePath()
            .describe('The file with the token that requests must carry.')
            .meta({ examples: ['/etc/slackwater/admin-token'] })
            .optional(),
          tls: adminTlsSchema.optional(),
        })
        .describe('The admin listener.')
        .prefault({}),
      health: z
        .strictObject({
          listen: address(0)
            .describe('Where probes and metrics are answered: /livez, /readyz, /startupz and /metrics.')
            .default('0.0.0.0:9902'),
        })
        .describe('The health listener.')
        .prefault({}),
      log: z
        .strictObject({
          level: oneOf(LOG_LEVELS).describe('The least severe lines that are written.').default('info'),
          format: oneOf(LOG_FORMATS)
            .describe('One JSON object a line, or one line of text for people to read.')
            .default('json'),
        })
        .describe('The log, on standard output.')
        .prefault({}),
    },
    { error: must('a mapping of keys, beginning with routes') },
  )
  .meta({ title: 'Slackwater configuration' });

/** A configuration with every default filled in; what a route leaves to the top level is absent. */
export type Config = z.output<typeof configSchema>;
export type RouteConfig = Config['routes'][number];
