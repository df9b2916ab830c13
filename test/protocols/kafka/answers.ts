/** Answers as brokers write them. Each takes the brokers that it names, so that what a client must see can be written too. */
import { isFlexible } from './api-fixture.ts';
import { type Form, form, frame, i8, i16, i32, i64, join, type Tag } from './wire.ts';

export interface Broker {
  readonly node: number;
  readonly host: string;
  readonly port: number;
  readonly rack?: string | null;
}

/** The broker's own: ApiVersions has a plain header in every version (KIP-511). */
export function answer(key: number, version: number, id: number, body: Buffer): Buffer {
  const header = key !== 18 && isFlexible(key, version) ? form(true).tags() : Buffer.alloc(0);
  return frame(i32(id), header, body);
}

/** A field of a version that nobody knows yet. */
const LATER: Tag = { tag: 9, bytes: Buffer.from('later') };
const UUID = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');

export interface AnswerOptions {
  readonly throttle?: number;
}

/** v0: an error code; v1+: a throttle time before it. Heartbeat and SyncGroup begin so, and LeaveGroup. */
export function heartbeatBody(version: number, { throttle = 0 }: AnswerOptions = {}): Buffer {
  return join(...(version >= 1 ? [i32(throttle)] : []), i16(0), form(isFlexible(12, version)).tags());
}

// --- those that name brokers --------------------------------------------------------------------------------------

function endpoint(write: Form, { node, host, port, rack = null }: Broker, more: Buffer = Buffer.alloc(0)): Buffer {
  return join(i32(node), write.string(host), i32(port), write.string(rack), more, write.tags());
}

export interface MetadataAnswer extends AnswerOptions {
  readonly clusterId?: string | null;
  readonly topicError?: number;
  readonly partitionError?: number;
  readonly error?: number;
  readonly topic?: string;
}

export function metadataBody(version: number, brokers: readonly Broker[], options: MetadataAnswer = {}): Buffer {
  const { throttle = 0, clusterId = 'cluster-1', topicError = 0, partitionError = 0, error = 0 } = options;
  const write = form(isFlexible(3, version));
  const list = brokers.map((broker) => {
    if (version >= 1) return endpoint(write, broker);
    return join(i32(broker.node), write.string(broker.host), i32(broker.port));
  });
  const partition = join(
    i16(partitionError),
    i32(0),
    i32(1),
    ...(version >= 7 ? [i32(5)] : []),
    write.array([i32(1), i32(2)]),
    write.array([i32(1)]),
    ...(version >= 5 ? [write.array([])] : []),
    write.tags(),
  );
  const leaderless = join(
    i16(0),
    i32(1),
    i32(-1),
    ...(version >= 7 ? [i32(6)] : []),
    write.array([i32(2)]),
    write.array([]),
    ...(version >= 5 ? [write.array(null)] : []),
    write.tags(),
  );
  const topic = (name: string, code: number, ...partitions: readonly Buffer[]): Buffer =>
    join(
      i16(code),
      write.string(name),
      ...(version >= 10 ? [UUID] : []),
      ...(version >= 1 ? [i8(0)] : []),
      write.array(partitions),
      ...(version >= 8 ? [i32(-2147483648)] : []),
      write.tags(),
    );
  return join(
    ...(version >= 3 ? [i32(throttle)] : []),
    write.array(list),
    ...(version >= 2 ? [write.string(clusterId)] : []),
    ...(version >= 1 ? [i32(1)] : []),
    write.array([topic(options.topic ?? 'orders', topicError, partition, leaderless), topic('empty', 0)]),
    ...(version >= 8 && version <= 10 ? [i32(-2147483648)] : []),
    ...(version >= 13 ? [i16(error)] : []),
    write.tags(LATER),
  );
}

export interface CoordinatorAnswer extends AnswerOptions {
  readonly errors?: readonly number[];
}

/** Before version 4 the first broker alone. */
export function findCoordinatorBody(
  version: number,
  brokers: readonly Broker[],
  { throttle = 0, errors = [] }: CoordinatorAnswer = {},
): Buffer {
  const write = form(isFlexible(10, version));
  const address = ({ node, host, port }: Broker): Buffer => join(i32(node), write.string(host), i32(port));
  if (version < 4) {
    const [broker] = brokers;
    return join(
      ...(version >= 1 ? [i32(throttle)] : []),
      i16(errors[0] ?? 0),
      ...(version >= 1 ? [write.string(null)] : []),
      address(broker ?? { node: -1, host: '', port: -1 }),
      write.tags(),
    );
  }
  const coordinators = brokers.map((broker, index) =>
    join(write.string(`group-${index}`), address(broker), i16(errors[index] ?? 0), write.string(null), write.tags()),
  );
  const nobody = join(
    write.string('nobody'),
    address({ node: -1, host: '', port: -1 }),
    i16(15),
    write.string('none'),
    write.tags(),
  );
  return join(i32(throttle), write.array([...coordinators, nobody]), write.tags());
}

export function describeClusterBody(
  version: number,
  brokers: readonly Broker[],
  { throttle = 0, controllers = false }: AnswerOptions & { readonly controllers?: boolean } = {},
): Buffer {
  const write = form(true);
  return join(
    i32(throttle),
    i16(0),
    write.string(null),
    ...(version >= 1 ? [i8(controllers ? 2 : 1)] : []),
    write.string('cluster-1'),
    i32(1),
    write.array(brokers.map((broker) => endpoint(write, broker, version >= 2 ? i8(0) : Buffer.alloc(0)))),
    i32(-2147483648),
    write.tags(),
  );
}

/** KIP-951: node ids, hosts, ports and racks of new leaders. */
function nodeEndpoints(brokers: readonly Broker[]): Buffer {
  const write = form(true);
  return write.array(brokers.map((broker) => endpoint(write, broker)));
}

const CURRENT_LEADER: Tag = { tag: 0, bytes: join(i32(2), i32(9), form(true).tags()) };

/** From version 10 on with the brokers, if there are any. */
export function produceBody(
  version: number,
  brokers: readonly Broker[],
  { throttle = 0, extraTags = [] }: AnswerOptions & { readonly extraTags?: readonly Tag[] } = {},
): Buffer {
  const write = form(isFlexible(0, version));
  const moved = version >= 10 && brokers.length > 0;
  const rejected = [join(i32(3), write.string('bad'), write.tags()), join(i32(4), write.string(null), write.tags())];
  const partition = join(
    i32(0),
    i16(moved ? 6 : 0),
    i64(41n),
    ...(version >= 2 ? [i64(-1n)] : []),
    ...(version >= 5 ? [i64(0n)] : []),
    ...(version >= 8 ? [write.array(rejected), write.string('why')] : []),
    write.tags(...(moved ? [CURRENT_LEADER] : [])),
  );
  const topic = version >= 13 ? UUID : write.string('orders');
  return join(
    write.array([join(topic, write.array([partition, partition]), write.tags())]),
    ...(version >= 1 ? [i32(throttle)] : []),
    write.tags(...(moved ? [{ tag: 0, bytes: nodeEndpoints(brokers) }] : []), ...extraTags),
  );
}

export interface FetchAnswer extends AnswerOptions {
  readonly records?: Buffer | null;
  /** As a client must see it: the tag of the brokers is one that nobody knows, and nothing stands in it. */
  readonly voided?: boolean;
}

export function fetchBody(
  version: number,
  brokers: readonly Broker[],
  { throttle = 0, records = Buffer.from('batches'), voided = false }: FetchAnswer = {},
): Buffer {
  const write = form(isFlexible(1, version));
  const aborted = join(i64(7n), i64(8n), write.tags());
  const partition = join(
    i32(0),
    i16(0),
    i64(100n),
    ...(version >= 4 ? [i64(100n)] : []),
    ...(version >= 5 ? [i64(0n)] : []),
    ...(version >= 4 ? [write.array([aborted, aborted])] : []),
    ...(version >= 11 ? [i32(-1)] : []),
    write.bytes(records),
    write.tags({ tag: 1, bytes: join(i32(2), i32(9), write.tags()) }),
  );
  const bare = join(
    i32(1),
    i16(6),
    i64(-1n),
    ...(version >= 4 ? [i64(-1n)] : []),
    ...(version >= 5 ? [i64(-1n)] : []),
    ...(version >= 4 ? [write.array(null)] : []),
    ...(version >= 11 ? [i32(-1)] : []),
    write.bytes(null),
    write.tags(),
  );
  const topic = version >= 13 ? UUID : write.string('orders');
  const endpoints = nodeEndpoints(brokers);
  const tags =
    version < 16 || brokers.length === 0
      ? []
      : [{ tag: voided ? 0x7f : 0, bytes: voided ? Buffer.alloc(endpoints.length) : endpoints }];
  return join(
    ...(version >= 1 ? [i32(throttle)] : []),
    ...(version >= 7 ? [i16(0), i32(77)] : []),
    write.array([
      join(topic, write.array([partition, bare]), write.tags()),
      join(topic, write.array([]), write.tags()),
    ]),
    write.tags(...tags),
  );
}

export function shareFetchBody(
  _version: number,
  brokers: readonly Broker[],
  { throttle = 0 }: AnswerOptions = {},
): Buffer {
  const write = form(true);
  const leader = join(i32(1), i32(4), write.tags());
  const acquired = join(i64(1n), i64(3n), i16(1), write.tags());
  const partition = (index: number, error: number, records: Buffer | null, acquisitions: readonly Buffer[]): Buffer =>
    join(
      i32(index),
      i16(error),
      write.string(error === 0 ? null : 'moved'),
      i16(0),
      write.string('why'),
      leader,
      write.bytes(records),
      write.array(acquisitions),
      write.tags(),
    );
  const partitions = [partition(0, 0, Buffer.from('batches'), [acquired, acquired]), partition(1, 6, null, [])];
  return join(
    i32(throttle),
    i16(0),
    write.string(null),
    i32(30_000),
    write.array([join(UUID, write.array(partitions), write.tags())]),
    nodeEndpoints(brokers),
    write.tags(),
  );
}

export function shareAcknowledgeBody(
  version: number,
  brokers: readonly Broker[],
  { throttle = 0 }: AnswerOptions = {},
): Buffer {
  const write = form(true);
  const partition = join(i32(0), i16(6), write.string(null), join(i32(1), i32(4), write.tags()), write.tags());
  return join(
    i32(throttle),
    i16(0),
    write.string(null),
    ...(version >= 2 ? [i32(30_000)] : []),
    write.array([join(UUID, write.array([partition]), write.tags())]),
    nodeEndpoints(brokers),
    write.tags(),
  );
}

// --- ApiVersions --------------------------------------------------------------------------------------------------

export interface Range {
  readonly key: number;
  readonly min: number;
  readonly max: number;
}

export function apiVersionsBody(
  version: number,
  ranges: readonly Range[],
  tags: readonly Tag[] = [],
  error = 0,
  throttle = 0,
): Buffer {
  const write = form(version >= 3);
  const keys = ranges.map(({ key, min, max }) => join(i16(key), i16(min), i16(max), write.tags()));
  return join(i16(error), write.array(keys), ...(version >= 1 ? [i32(throttle)] : []), write.tags(...tags));
}
