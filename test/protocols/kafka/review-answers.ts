/** Answers that name brokers, in the notation of review-wire.ts, as the protocol's message definitions give them. */
import { encode, type Field, type Type } from './review-wire.ts';

export interface Broker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

const array = (type: Type): Type => ['array', type];
const struct = (...fields: Field[]): Type => ['struct', fields];
const ints = array('int32');

const METADATA = struct(
  ['throttle', 'int32', 3],
  ['brokers', array(struct(['id', 'int32', 0], ['host', 'string', 0], ['port', 'int32', 0], ['rack', 'string', 1])), 0],
  ['cluster', 'string', 2],
  ['controller', 'int32', 1],
  [
    'topics',
    array(
      struct(
        ['error', 'int16', 0],
        ['name', 'string', 0],
        ['id', 'uuid', 10],
        ['internal', 'int8', 1],
        [
          'partitions',
          array(
            struct(
              ['error', 'int16', 0],
              ['index', 'int32', 0],
              ['leader', 'int32', 0],
              ['epoch', 'int32', 7],
              ['replicas', ints, 0],
              ['isr', ints, 0],
              ['offline', ints, 5],
            ),
          ),
          0,
        ],
        ['operations', 'int32', 8],
      ),
    ),
    0,
  ],
  ['operations', 'int32', 8, 10],
  ['error', 'int16', 13],
);

const COORDINATOR_SINGLE = struct(
  ['throttle', 'int32', 1],
  ['error', 'int16', 0],
  ['message', 'string', 1],
  ['id', 'int32', 0],
  ['host', 'string', 0],
  ['port', 'int32', 0],
);
const COORDINATOR_BATCH = struct(
  ['throttle', 'int32', 0],
  [
    'coordinators',
    array(
      struct(
        ['key', 'string', 0],
        ['id', 'int32', 0],
        ['host', 'string', 0],
        ['port', 'int32', 0],
        ['error', 'int16', 0],
        ['message', 'string', 0],
      ),
    ),
    0,
  ],
);
const CLUSTER = struct(
  ['throttle', 'int32', 0],
  ['error', 'int16', 0],
  ['message', 'string', 0],
  ['endpointType', 'int8', 1],
  ['cluster', 'string', 0],
  ['controller', 'int32', 0],
  [
    'brokers',
    array(
      struct(
        ['id', 'int32', 0],
        ['host', 'string', 0],
        ['port', 'int32', 0],
        ['rack', 'string', 0],
        ['fenced', 'int8', 2],
      ),
    ),
    0,
  ],
  ['operations', 'int32', 0],
);
const ENDPOINTS = array(struct(['id', 'int32', 0], ['host', 'string', 0], ['port', 'int32', 0], ['rack', 'string', 0]));
const PRODUCE = struct(
  [
    'topics',
    array(
      struct(
        ['name', 'string', 0, 12],
        ['id', 'uuid', 13],
        [
          'partitions',
          array(
            struct(
              ['index', 'int32', 0],
              ['error', 'int16', 0],
              ['offset', 'int64', 0],
              ['time', 'int64', 2],
              ['start', 'int64', 5],
              ['errors', array(struct(['batch', 'int32', 0], ['message', 'string', 0])), 8],
              ['message', 'string', 8],
            ),
          ),
          0,
        ],
      ),
    ),
    0,
  ],
  ['throttle', 'int32', 1],
);
const SHARE_ACKNOWLEDGE = struct(
  ['throttle', 'int32', 0],
  ['error', 'int16', 0],
  ['message', 'string', 0],
  ['lock', 'int32', 2],
  [
    'topics',
    array(
      struct(
        ['id', 'uuid', 0],
        [
          'partitions',
          array(
            struct(
              ['index', 'int32', 0],
              ['error', 'int16', 0],
              ['message', 'string', 0],
              ['leader', struct(['id', 'int32', 0], ['epoch', 'int32', 0]), 0],
            ),
          ),
          0,
        ],
      ),
    ),
    0,
  ],
  ['endpoints', ENDPOINTS, 0],
);
const SHARE_FETCH = struct(
  ['throttle', 'int32', 0],
  ['error', 'int16', 0],
  ['message', 'string', 0],
  ['lock', 'int32', 0],
  [
    'topics',
    array(
      struct(
        ['id', 'uuid', 0],
        [
          'partitions',
          array(
            struct(
              ['index', 'int32', 0],
              ['error', 'int16', 0],
              ['message', 'string', 0],
              ['ackError', 'int16', 0],
              ['ackMessage', 'string', 0],
              ['leader', struct(['id', 'int32', 0], ['epoch', 'int32', 0]), 0],
              ['records', 'bytes', 0],
              ['acquired', array(struct(['first', 'int64', 0], ['last', 'int64', 0], ['count', 'int16', 0])), 0],
            ),
          ),
          0,
        ],
      ),
    ),
    0,
  ],
  ['endpoints', ENDPOINTS, 0],
);
const FETCH = struct(
  ['throttle', 'int32', 1],
  ['error', 'int16', 7],
  ['session', 'int32', 7],
  [
    'topics',
    array(
      struct(
        ['name', 'string', 0, 12],
        ['id', 'uuid', 13],
        [
          'partitions',
          array(
            struct(
              ['index', 'int32', 0],
              ['error', 'int16', 0],
              ['high', 'int64', 0],
              ['stable', 'int64', 4],
              ['start', 'int64', 5],
              ['aborted', array(struct(['producer', 'int64', 0], ['first', 'int64', 0])), 4],
              ['replica', 'int32', 11],
              ['records', 'bytes', 0],
            ),
          ),
          0,
        ],
      ),
    ),
    0,
  ],
);

/** One answer of an API in a version, naming `brokers`. `unusual`: with nulls, empty lists and tags. */
export interface Sample {
  readonly name: string;
  readonly key: number;
  readonly versions: readonly [number, number];
  readonly firstFlexible: number;
  readonly body: (version: number, brokers: readonly Broker[], throttle: number) => Buffer;
}

const leaderTag = (leader: number): [number, Buffer] => [
  0,
  encode(struct(['id', 'int32', 0], ['epoch', 'int32', 0]), { id: leader, epoch: 3 }, 0, true),
];
function endpointsTag(brokers: readonly Broker[], tag: number): [number, Buffer][] {
  if (brokers.length === 0) return [];
  const list = brokers.map((broker) => ({ ...broker, rack: 'r1' }));
  const bytes = encode(ENDPOINTS, list, 0, true);
  return [[tag, tag === 0 ? bytes : bytes.fill(0)]];
}

/** @param endpoints the tag number of NodeEndpoints */
export function fetchBody(version: number, brokers: readonly Broker[], throttle: number, endpoints: number): Buffer {
  const flexible = version >= 12;
  const partition = {
    index: 4,
    high: 9,
    aborted: [
      { producer: 1, first: 2 },
      { producer: 3, first: 4 },
    ],
    records: Buffer.alloc(150, 0),
    tags: [leaderTag(2)],
  };
  return encode(
    FETCH,
    {
      throttle,
      session: 77,
      topics: [
        { name: 't', partitions: [partition, { index: 5, error: 6, aborted: null, records: null }] },
        { name: 'u', partitions: [] },
      ],
      tags: version >= 16 ? endpointsTag(brokers, endpoints) : [],
    },
    version,
    flexible,
  );
}

export const SAMPLES: readonly Sample[] = [
  {
    name: 'Metadata',
    key: 3,
    versions: [0, 13],
    firstFlexible: 9,
    body: (version, brokers, throttle) =>
      encode(
        METADATA,
        {
          throttle,
          brokers: brokers.map((broker, index) => ({ ...broker, rack: index === 0 ? null : 'rack' })),
          cluster: 'the-cluster',
          controller: 1,
          topics: [
            {
              name: 'orders',
              partitions: [
                { index: 0, leader: 1, replicas: [1, 2], isr: [1], offline: [2] },
                { index: 1, leader: 2, replicas: [2], isr: [], offline: null },
              ],
            },
            { name: 'empty', partitions: [] },
          ],
          tags: [[9, Buffer.from('later')]],
        },
        version,
        version >= 9,
      ),
  },
  {
    name: 'FindCoordinator, one',
    key: 10,
    versions: [0, 3],
    firstFlexible: 3,
    body: (version, brokers, throttle) =>
      encode(COORDINATOR_SINGLE, { throttle, message: 'NONE', ...brokers[0] }, version, version >= 3),
  },
  {
    name: 'FindCoordinator, several',
    key: 10,
    versions: [4, 6],
    firstFlexible: 3,
    body: (version, brokers, throttle) =>
      encode(
        COORDINATOR_BATCH,
        {
          throttle,
          coordinators: [
            ...brokers.map((broker) => ({ key: `group-${broker.id}`, message: null, ...broker })),
            { key: 'nobody', id: -1, host: '', port: -1, error: 15, message: 'none' },
          ],
        },
        version,
        true,
      ),
  },
  {
    name: 'DescribeCluster',
    key: 60,
    versions: [0, 2],
    firstFlexible: 0,
    body: (version, brokers, throttle) =>
      encode(CLUSTER, { throttle, endpointType: 1, cluster: 'c', controller: 1, brokers }, version, true),
  },
  {
    name: 'Produce',
    key: 0,
    versions: [1, 13],
    firstFlexible: 9,
    body: (version, brokers, throttle) =>
      encode(
        PRODUCE,
        {
          throttle,
          topics: [
            {
              name: 'orders',
              partitions: [
                {
                  index: 0,
                  errors: [{ batch: 1, message: 'bad' }, { batch: 2 }],
                  message: 'why',
                  tags: [leaderTag(2)],
                },
                { index: 1 },
              ],
            },
          ],
          tags: version >= 10 ? endpointsTag(brokers, 0) : [],
        },
        version,
        version >= 9,
      ),
  },
  {
    name: 'ShareFetch',
    key: 78,
    versions: [1, 2],
    firstFlexible: 0,
    body: (version, brokers, throttle) =>
      encode(
        SHARE_FETCH,
        {
          throttle,
          topics: [
            {
              partitions: [
                { index: 0, records: Buffer.alloc(40, 1), acquired: [{ first: 1, last: 2, count: 1 }] },
                { index: 1, error: 6, message: 'moved', records: null },
              ],
            },
          ],
          endpoints: brokers,
        },
        version,
        true,
      ),
  },
  {
    name: 'ShareAcknowledge',
    key: 79,
    versions: [1, 2],
    firstFlexible: 0,
    body: (version, brokers, throttle) =>
      encode(
        SHARE_ACKNOWLEDGE,
        { throttle, topics: [{ partitions: [{ index: 1, error: 6, message: 'moved' }] }], endpoints: brokers },
        version,
        true,
      ),
  },
];
