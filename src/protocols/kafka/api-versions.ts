/**
 * What a broker says it can, and what we tell clients that it can.
 *
 * ApiVersions responses (KIP-35, KIP-511, KIP-584), header always v0:
 *
 *   ErrorCode int16; ApiKeys [] { ApiKey, MinVersion, MaxVersion int16, v3+ tags }; v1+ ThrottleTimeMs int32;
 *   v3+ tags: 0 SupportedFeatures [] { Name, MinVersion, MaxVersion int16, tags }, 1 FinalizedFeaturesEpoch int64,
 *     2 FinalizedFeatures [] { Name, MaxVersionLevel, MinVersionLevel int16, tags }, 3 ZkMigrationReady bool
 *
 * Before version 4 features with a minimum of 0 are left out.
 */
import { APIS, type Api, ApiKey, isOffered } from './api-table.ts';
import type { Cursor } from './cursor.ts';
import { Writer } from './writer.ts';

const UNSUPPORTED_VERSION = 35;
const FIRST_WITH_THROTTLE = 1;
const FIRST_WITH_TAGS = 3;
const FIRST_WITH_ZERO_FEATURES = 4;
export const MAX_API_VERSIONS = 4;
const SUPPORTED_FEATURES_TAG = 0;
/** KIP-890: the first that speaks transaction.version 2, under which a broker refuses older ones of a transaction. */
const FIRST_PRODUCE_OF_TRANSACTIONS_2 = 12;

/** Whether clients are told that they may authenticate: to us, to the broker, or not at all. */
export type SaslOffer = 'no' | 'ours' | 'brokers';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

interface Feature {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

interface RawTag {
  readonly tag: number;
  readonly bytes: Buffer;
}

/** Immutable, so that two connections to brokers that can the same may share one, and be compared by identity. */
export class Versions {
  readonly ranges: ReadonlyMap<number, VersionRange>;
  readonly #features: readonly Feature[];
  /** Tagged fields that pass unchanged. */
  readonly #tags: readonly RawTag[];
  readonly #bodies = new Map<number, Buffer>();

  constructor(ranges: ReadonlyMap<number, VersionRange>, features: readonly Feature[], tags: readonly RawTag[]) {
    this.ranges = ranges;
    this.#features = features;
    this.#tags = tags;
  }

  /** A client that was told `told` asks for nothing that this broker cannot. */
  covers(told: Versions): boolean {
    for (const [key, range] of told.ranges) {
      const own = this.ranges.get(key);
      if (own === undefined || range.min < own.min || range.max > own.max) return false;
    }
    return true;
  }

  /**
   * A client that was told `told` by this broker knew it before it was upgraded to transactions of version 2. It hears
   * elsewhere that the cluster has them, and then all that it does here in the old versions fails.
   */
  outgrew(told: Versions): boolean {
    return this.#speaksTransactions2() && !told.#speaksTransactions2();
  }

  #speaksTransactions2(): boolean {
    return (this.ranges.get(ApiKey.produce)?.max ?? 0) >= FIRST_PRODUCE_OF_TRANSACTIONS_2;
  }

  equals(other: Versions): boolean {
    return this.ranges.size === other.ranges.size && this.body(MAX_API_VERSIONS).equals(other.body(MAX_API_VERSIONS));
  }

  /** What both can; the features of the first. */
  intersect(other: Versions): Versions {
    const ranges = new Map<number, VersionRange>();
    for (const [key, { min, max }] of this.ranges) {
      const theirs = other.ranges.get(key);
      if (theirs === undefined) continue;
      const both = { min: Math.max(min, theirs.min), max: Math.min(max, theirs.max) };
      if (both.min <= both.max) ranges.set(key, both);
    }
    return new Versions(ranges, this.#features, this.#tags);
  }

  /** The response's body in a version from 0 to 4. */
  body(version: number): Buffer {
    let body = this.#bodies.get(version);
    if (body === undefined) {
      body = this.#write(version);
      this.#bodies.set(version, body);
    }
    return body;
  }

  #write(version: number): Buffer {
    const flexible = version >= FIRST_WITH_TAGS;
    const writer = new Writer(flexible).int16(0).arrayLength(this.ranges.size);
    for (const [key, { min, max }] of this.ranges) writer.int16(key).int16(min).int16(max).noTags();
    if (version >= FIRST_WITH_THROTTLE) writer.int32(0);
    if (!flexible) return writer.bytes();
    const features = this.#features.filter(({ min }) => min > 0 || version >= FIRST_WITH_ZERO_FEATURES);
    const tags = [...(features.length > 0 ? [featuresTag(features)] : []), ...this.#tags];
    writer.uvarint(tags.length);
    for (const { tag, bytes } of tags) writer.uvarint(tag).uvarint(bytes.length).raw(bytes);
    return writer.bytes();
  }
}

function featuresTag(features: readonly Feature[]): RawTag {
  const writer = new Writer(true).arrayLength(features.length);
  for (const { name, min, max } of features) writer.string(name).int16(min).int16(max).noTags();
  return { tag: SUPPORTED_FEATURES_TAG, bytes: writer.bytes() };
}

/** What one answer says. */
export interface ToldVersions {
  /** Null if the answer carries an error; 35 answers a version that the broker does not know (KIP-511). */
  readonly versions: Versions | null;
  readonly throttleMilliseconds: number;
}

/**
 * Reads a broker's answer and cuts it at what we can handle. Minima stay the broker's: a raised one makes old clients
 * switch features off (KAFKA-18659). @throws {MalformedError}
 */
export function readApiVersions(cursor: Cursor, version: number, sasl: SaslOffer = 'no'): ToldVersions {
  if (cursor.int16() !== 0) return { versions: null, throttleMilliseconds: 0 };
  const ranges = new Map<number, VersionRange>();
  for (let left = cursor.arrayLength(); left > 0; left -= 1) {
    const key = cursor.int16();
    const min = cursor.int16();
    const max = cursor.int16();
    cursor.skipTags();
    const api = APIS[key];
    if (api === undefined || !isOffered(api, sasl !== 'no') || min > api.maxVersion || max < api.minVersion) continue;
    const isOurs = sasl === 'ours' && api.kind === 'sasl';
    ranges.set(key, isOurs ? rangeOf(api) : { min, max: Math.min(max, api.maxVersion) });
  }
  // What we do ourselves is there even if the broker does not know it.
  if (sasl === 'ours') for (const api of APIS) if (api.kind === 'sasl') ranges.set(api.key, rangeOf(api));
  const throttleMilliseconds = version >= FIRST_WITH_THROTTLE ? cursor.int32() : 0;
  const versions = version >= FIRST_WITH_TAGS ? readFeatures(cursor, ranges) : new Versions(ranges, [], []);
  return { versions, throttleMilliseconds };
}

function rangeOf({ minVersion, maxVersion }: Api): VersionRange {
  return { min: minVersion, max: maxVersion };
}

function readFeatures(cursor: Cursor, ranges: ReadonlyMap<number, VersionRange>): Versions {
  const features: Feature[] = [];
  const tags: RawTag[] = [];
  for (let left = cursor.uvarint(); left > 0; left -= 1) {
    const tag = cursor.uvarint();
    const size = cursor.uvarint();
    if (tag === SUPPORTED_FEATURES_TAG) {
      for (let count = cursor.arrayLength(); count > 0; count -= 1) {
        features.push({ name: cursor.string() ?? '', min: cursor.int16(), max: cursor.int16() });
        cursor.skipTags();
      }
    } else {
      const from = cursor.at;
      cursor.skip(size);
      tags.push({ tag, bytes: Buffer.from(cursor.bytes.subarray(from, cursor.at)) });
    }
  }
  return new Versions(ranges, features, tags);
}

/** The newest ApiVersions of a broker that does not know the version which it was asked in; 0 if it does not tell. */
export function newestApiVersionsIn(cursor: Cursor): number {
  if (cursor.int16() !== UNSUPPORTED_VERSION) return 0;
  for (let left = cursor.arrayLength(); left > 0; left -= 1) {
    const key = cursor.int16();
    cursor.skip(2);
    const max = cursor.int16();
    if (key === ApiKey.apiVersions) return max;
  }
  return 0;
}

/** The answer to a version that we do not know: a v0 body which says what we do know (KIP-511). */
export function unsupportedVersionBody(): Buffer {
  const body = new Writer(false).int16(UNSUPPORTED_VERSION).arrayLength(1);
  return body.int16(ApiKey.apiVersions).int16(0).int16(MAX_API_VERSIONS).bytes();
}
