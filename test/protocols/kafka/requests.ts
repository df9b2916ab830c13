/** Requests as clients write them. */
import { isFlexible } from './api-fixture.ts';
import { form, frame, i8, i16, i32, i64, join, type Tag } from './wire.ts';

export interface RequestOptions {
  readonly clientId?: string | null;
  readonly body?: Buffer;
  /** Of the header. */
  readonly tags?: readonly Tag[];
}

/** A whole request, its length included. The header's form follows the fixture; unknown keys get the plain one. */
export function request(key: number, version: number, id: number, options: RequestOptions = {}): Buffer {
  const { clientId = 'application', body = Buffer.alloc(0), tags = [] } = options;
  const header = form(isFlexible(key, version)).tags(...tags);
  return frame(i16(key), i16(version), i32(id), form(false).string(clientId), header, body);
}

export interface ProduceOptions extends RequestOptions {
  readonly acks: number;
  readonly transactionalId?: string | null;
  readonly timeout?: number;
  readonly records?: Buffer;
}

/** A Produce request with one batch that nobody looks into. */
export function produceRequest(version: number, id: number, options: ProduceOptions): Buffer {
  const { acks, transactionalId = null, timeout = 30_000, records = Buffer.from('records'), ...rest } = options;
  const write = form(isFlexible(0, version));
  const topic = version >= 13 ? Buffer.alloc(16, 7) : write.string('orders');
  const partition = join(i32(0), write.bytes(records), write.tags());
  const body = join(
    ...(version >= 3 ? [write.string(transactionalId)] : []),
    i16(acks),
    i32(timeout),
    write.array([join(topic, write.array([partition]), write.tags())]),
    write.tags(),
  );
  return request(0, version, id, { ...rest, body });
}

export function fetchRequest(version: number, id: number, maxWait: number, clientId = 'application'): Buffer {
  const write = form(isFlexible(1, version));
  const body = join(
    ...(version < 15 ? [i32(-1)] : []),
    i32(maxWait),
    i32(1),
    ...(version >= 3 ? [i32(1_000_000)] : []),
    ...(version >= 4 ? [i8(0)] : []),
    ...(version >= 7 ? [i32(0), i32(-1)] : []),
    write.array([]),
    ...(version >= 7 ? [write.array([])] : []),
    ...(version >= 11 ? [write.string('')] : []),
    write.tags(),
  );
  return request(1, version, id, { body, clientId });
}

export function joinGroupRequest(version: number, id: number, session: number, rebalance: number): Buffer {
  const write = form(isFlexible(11, version));
  const body = join(
    write.string('group'),
    i32(session),
    ...(version >= 1 ? [i32(rebalance)] : []),
    write.string(''),
    ...(version >= 5 ? [write.string(null)] : []),
    write.string('consumer'),
    write.array([]),
    ...(version >= 8 ? [write.string(null)] : []),
    write.tags(),
  );
  return request(11, version, id, { body });
}

export interface MetadataOptions {
  readonly topics?: readonly string[] | null;
  readonly clientId?: string | null;
  readonly autoCreate?: boolean;
}

export function metadataRequest(version: number, id: number, options: MetadataOptions = {}): Buffer {
  const { topics = ['orders'], clientId = 'application', autoCreate = false } = options;
  const write = form(isFlexible(3, version));
  const topicIds = version >= 10 ? [Buffer.alloc(16)] : [];
  const list = topics === null ? null : topics.map((name) => join(...topicIds, write.string(name), write.tags()));
  const flag = i8(autoCreate ? 1 : 0);
  const body = join(
    write.array(list),
    ...(version >= 4 ? [flag] : []),
    ...(version >= 8 && version <= 10 ? [i8(0)] : []),
    ...(version >= 8 ? [i8(0)] : []),
    write.tags(),
  );
  return request(3, version, id, { body, clientId });
}

export function apiVersionsRequest(version: number, id: number): Buffer {
  if (version < 3 || version > 4) return request(18, version, id);
  const write = form(true);
  return request(18, version, id, { body: join(write.string('library'), write.string('1.0'), write.tags()) });
}

/** A request of which only the head matters; 8 bytes stand for its body. */
export function anyRequest(key: number, version: number, id: number): Buffer {
  if (key === 0) return produceRequest(version, id, { acks: -1 });
  if (key === 3) return metadataRequest(version, id);
  return request(key, version, id, { body: i64(0n) });
}
