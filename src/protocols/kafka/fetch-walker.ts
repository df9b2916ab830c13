/**
 * Follows a Fetch response of version 16 to 18 by its lengths, chunk by chunk, to the tagged fields at its end, and makes
 * NodeEndpoints (KIP-951) void there: its tag number is overwritten with one that nobody knows, and what stands in it with
 * zeros, in place, so that no byte moves, nothing is collected and no broker's host goes out. Clients skip unknown tags and
 * use their own, rewritten, table of brokers.
 *
 *   header tags; ThrottleTimeMs int32; ErrorCode int16; SessionId int32;
 *   Responses [] { TopicId uuid, Partitions [] { Index int32, ErrorCode int16, HighWatermark int64,
 *     LastStableOffset int64, LogStartOffset int64, AbortedTransactions nullable [] { int64, int64, tags },
 *     PreferredReadReplica int32, Records, tags }, tags }; tags, of which 0: NodeEndpoints
 */
const FRAME_HEAD_BYTES = 8;
const BODY_HEAD_BYTES = 10;
const TOPIC_ID_BYTES = 16;
const PARTITION_HEAD_BYTES = 30;
const ABORTED_BYTES = 16;
const REPLICA_BYTES = 4;
const NODE_ENDPOINTS_TAG = 0;
const UNKNOWN_TAG = 0x7f;
const LARGEST_SHIFT = 28;

const Step = {
  topics: 0,
  topic: 1,
  partitions: 2,
  partition: 3,
  aborted: 4,
  abortedOne: 5,
  records: 6,
  tagCount: 7,
  tag: 8,
  tagSize: 9,
  done: 10,
} as const;
type Step = (typeof Step)[keyof typeof Step];

export class FetchWalker {
  #step: Step = Step.done;
  /** Bytes that mean nothing to us before the step's number. */
  #skip = 0;
  #value = 0;
  #shift = 0;
  #topics = 0;
  #partitions = 0;
  #aborted = 0;
  #tags = 0;
  #afterTags: Step = Step.done;
  #left = 0;
  /** The tag was made void, and what stands in it comes next. */
  #voiding = false;
  broken = false;

  /** @param frameBytes the whole frame, its length included; `walk` is then shown all of it, in any pieces */
  begin(frameBytes: number): void {
    this.#left = frameBytes;
    this.broken = false;
    this.#value = 0;
    this.#shift = 0;
    this.#skip = 0;
    this.#voiding = false;
    this.#expectTags(FRAME_HEAD_BYTES, Step.topics);
  }

  #expectTags(skip: number, after: Step): void {
    this.#skip += skip;
    this.#step = Step.tagCount;
    this.#afterTags = after;
  }

  /** Reads `bytes[start, end)`, and may change the tag in it. */
  walk(bytes: Buffer, start: number, end: number): void {
    this.#left -= end - start;
    let at = start;
    while (at < end) {
      if (this.#skip > 0) {
        const part = Math.min(this.#skip, end - at);
        if (this.#voiding) bytes.fill(0, at, at + part);
        this.#skip -= part;
        if (this.#skip === 0) this.#voiding = false;
        at += part;
        continue;
      }
      if (this.#step === Step.done) break;
      const byte = bytes[at] ?? 0;
      this.#value += (byte & 0x7f) * 2 ** this.#shift;
      this.#shift += 7;
      if (byte < 0x80) {
        const value = this.#value;
        this.#value = 0;
        this.#shift = 0;
        const names = this.#step === Step.tag && this.#afterTags === Step.done && value === NODE_ENDPOINTS_TAG;
        if (names) bytes[at] = UNKNOWN_TAG;
        this.#number(value);
        if (names) this.#voiding = true;
      } else if (this.#shift > LARGEST_SHIFT) {
        this.broken = true;
        this.#step = Step.done;
      }
      at += 1;
    }
    if (at < end || this.#skip > this.#left) this.broken = true;
    if (this.#left === 0 && (this.#step !== Step.done || this.#skip > 0)) this.broken = true;
  }

  /** The number that the step expected. Lengths are one more than they say; 0 is null. */
  #number(value: number): void {
    switch (this.#step) {
      case Step.topics:
        this.#topics = Math.max(0, value - 1);
        this.#nextTopic();
        break;
      case Step.partitions:
        this.#partitions = Math.max(0, value - 1);
        this.#nextPartition();
        break;
      case Step.aborted:
        this.#aborted = Math.max(0, value - 1);
        this.#nextAborted();
        break;
      case Step.records:
        this.#partitions -= 1;
        this.#expectTags(Math.max(0, value - 1), Step.partition);
        break;
      case Step.tagCount:
        this.#tags = value;
        this.#nextTag();
        break;
      case Step.tag:
        this.#step = Step.tagSize;
        break;
      default:
        this.#skip += value;
        if (value === 0) this.#voiding = false;
        this.#tags -= 1;
        this.#nextTag();
    }
  }

  #nextTopic(): void {
    if (this.#topics === 0) {
      this.#expectTags(0, Step.done);
      return;
    }
    this.#topics -= 1;
    this.#skip += TOPIC_ID_BYTES;
    this.#step = Step.partitions;
  }

  #nextPartition(): void {
    if (this.#partitions === 0) {
      this.#expectTags(0, Step.topic);
      return;
    }
    this.#skip += PARTITION_HEAD_BYTES;
    this.#step = Step.aborted;
  }

  #nextAborted(): void {
    if (this.#aborted > 0) {
      this.#aborted -= 1;
      this.#expectTags(ABORTED_BYTES, Step.abortedOne);
      return;
    }
    this.#skip += REPLICA_BYTES;
    this.#step = Step.records;
  }

  #nextTag(): void {
    if (this.#tags > 0) {
      this.#step = Step.tag;
      return;
    }
    const after = this.#afterTags;
    if (after === Step.topics) {
      this.#skip += BODY_HEAD_BYTES;
      this.#step = Step.topics;
    } else if (after === Step.topic) this.#nextTopic();
    else if (after === Step.partition) this.#nextPartition();
    else if (after === Step.abortedOne) this.#nextAborted();
    else this.#step = Step.done;
  }
}
