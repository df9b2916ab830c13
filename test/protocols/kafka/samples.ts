/** Every kind of answer that names brokers, in every version that we know, and some that name none. */
import {
  type Broker,
  describeClusterBody,
  fetchBody,
  findCoordinatorBody,
  heartbeatBody,
  metadataBody,
  produceBody,
  shareAcknowledgeBody,
  shareFetchBody,
} from './answers.ts';

export interface Sample {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  readonly throttled: boolean;
  body(brokers: readonly Broker[], throttle: number): Buffer;
  /** As a client must see it. @param ours the same brokers at our addresses */
  seen(brokers: readonly Broker[], ours: readonly Broker[], throttle: number): Buffer;
}

type Body = (version: number, brokers: readonly Broker[], options: { readonly throttle: number }) => Buffer;

function family(name: string, key: number, versions: readonly number[], throttledFrom: number, write: Body): Sample[] {
  return versions.map((version) => {
    const body = (brokers: readonly Broker[], throttle: number): Buffer => write(version, brokers, { throttle });
    const seen = (_brokers: readonly Broker[], ours: readonly Broker[], throttle: number): Buffer =>
      body(ours, throttle);
    return { name: `${name} v${version}`, key, version, throttled: version >= throttledFrom, body, seen };
  });
}

function upTo(newest: number, oldest = 0): number[] {
  return Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index);
}

/** The tag is void: nothing of a broker is left in it. */
const FETCHES: readonly Sample[] = family('Fetch', 1, [1, 4, 7, 11, 12, 13, 15, 16, 17, 18], 1, fetchBody).map(
  (sample) => ({
    ...sample,
    seen: (brokers, _ours, throttle) => fetchBody(sample.version, brokers, { throttle, voided: true }),
  }),
);

export const NAMING: readonly Sample[] = [
  ...family('Metadata', 3, upTo(13), 3, metadataBody),
  ...family('FindCoordinator', 10, upTo(6), 1, findCoordinatorBody),
  ...family('DescribeCluster', 60, upTo(2), 0, describeClusterBody),
  ...family('Produce', 0, upTo(13, 10), 1, produceBody),
  ...family('ShareFetch', 78, [1, 2], 0, shareFetchBody),
  ...family('ShareAcknowledge', 79, [1, 2], 0, shareAcknowledgeBody),
];

export const PASSING: readonly Sample[] = [
  ...family('Heartbeat', 12, upTo(4), 1, (version, _brokers, options) => heartbeatBody(version, options)),
  ...family('Produce', 0, upTo(9), 1, produceBody),
  ...FETCHES,
];
