/** Our own requests on one connection: who we are, the greeting, probes, and the renewal of what sleepers will ask. */
import type { Credential } from '../../contract/credential.ts';
import type { UpstreamSink, UpstreamTarget } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import { BOOTSTRAP, type BrokerNode, type Topology } from '../../contract/topology.ts';
import { ANSWER_HEAD_BYTES, readAnswer } from './answers.ts';
import { ApiKey } from './api-table.ts';
import { MAX_API_VERSIONS, newestApiVersionsIn, readApiVersions, type Versions } from './api-versions.ts';
import type { KafkaClientSession } from './client-session.ts';
import { Cursor } from './cursor.ts';
import { applyEdits } from './edits.ts';
import { answersInTls } from './foreign.ts';
import type { HousekeepingCache, MetadataKey } from './housekeeping-cache.ts';
import { type InFlight, Owner } from './in-flight.ts';
import { type OwnFailure, SPEAKS_TLS, TELLS_NO_VERSIONS } from './own-failure.ts';
import {
  apiVersionsRequest,
  creatingNothing,
  metadataRequest,
  OWN_METADATA_VERSION,
  topologyRequest,
} from './own-requests.ts';
import type { KafkaRoute } from './route.ts';
import { Authentication, MOST_ANSWER_BYTES } from './sasl/authentication.ts';
import { RefusedError } from './sasl/mechanism.ts';

const FIRST_CORRELATION_ID = -2_000_000_000;
const FIRST_FLEXIBLE_VERSIONS = 3;
/** Newest first; 3 tells features, and every broker knows 0. */
const GREETING_VERSIONS = [4, 3, 0];
/** The cheapest that tells how long the broker throttles us; 0, which everybody knows, does not. */
const PING_VERSION = 2;

export class OwnExchange {
  readonly #route: KafkaRoute;
  readonly #target: UpstreamTarget;
  readonly #identity: string;
  readonly #cache: HousekeepingCache;
  readonly #inFlight: InFlight;
  /** Null: the broker knows us, or need not. */
  #authentication: Authentication | null = null;
  #isKnown = false;
  /** Something has come from the broker. */
  #heard = false;
  /** How long the broker serves this connection (KIP-368); 0: without end. */
  lifetimeMilliseconds = 0;
  #nextCorrelationId = FIRST_CORRELATION_ID;
  #versions: Versions | null = null;
  /** What a client was told that may use this connection; compared once. */
  #covered: Versions | null = null;
  readonly #renewing: MetadataKey[] = [];
  /** Of what is being renewed: its answers are equally new. */
  #renewal = 0;
  /** Of the answer that was concluded last. */
  throttleMilliseconds = 0;

  constructor(route: KafkaRoute, target: UpstreamTarget, identity: string, inFlight: InFlight) {
    this.#route = route;
    this.#target = target;
    this.#identity = identity;
    this.#cache = route.cacheOf(identity);
    this.#inFlight = inFlight;
  }

  /**
   * Why that client may not use this connection. Those of the bootstrap listener produce nothing, and are told no more than
   * the oldest broker can.
   *
   * @throws {Error} if it is of another identity: nobody is taken for somebody else
   */
  refusalOf({ told, listener, identity }: KafkaClientSession): CloseReason | undefined {
    if (identity !== this.#identity)
      throw new Error(`a client of identity ${identity} on a connection of ${this.#identity}`);
    if (told === null || told === this.#versions) return undefined;
    if (listener !== BOOTSTRAP && this.#versions?.outgrew(told) === true) return 'versions_changed';
    if (told === this.#covered) return undefined;
    if (this.#versions?.covers(told) === false) return 'versions_changed';
    this.#covered = told;
    return undefined;
  }

  #expect(owner: Owner, apiKey: number, version: number): number {
    const id = this.#nextCorrelationId;
    this.#nextCorrelationId = id >= -1 ? FIRST_CORRELATION_ID : id + 1;
    this.#inFlight.push(id, apiKey, version, owner, false, false, 0);
    return id;
  }

  get closeHint(): string | undefined {
    if (this.#authentication !== null) return this.#authentication.closeHint;
    // A broker that wants to know who asks answers ApiVersions once, and closes the connection on all else.
    const wantsSasl = !this.#isKnown && !this.#route.passesSasl && this.#versions !== null;
    return wantsSasl ? 'it may want SASL on this port: set upstream.sasl' : undefined;
  }

  /** What the first bytes tell of a port that was not meant for us. */
  judgeFirst(bytes: Buffer, start: number, end: number): OwnFailure | null {
    const isTls = !this.#heard && answersInTls(bytes, start, end);
    this.#heard = true;
    return isTls ? SPEAKS_TLS : null;
  }

  /** Who we are, if that matters, and nothing else before the broker knows it; then the questions. */
  greeting(credential: Credential | null): Buffer {
    if (this.#route.passesSasl) return this.#askVersions(MAX_API_VERSIONS);
    if (credential === null) return this.#questions();
    if (credential.mechanism === 'PASSED') throw new Error('Kafka clients pass their credentials themselves');
    const expect = (apiKey: number, version: number): number => this.#expect(Owner.sasl, apiKey, version);
    this.#authentication = new Authentication(credential, this.#route.scramKeys, expect);
    return this.#authentication.begin();
  }

  /** What an answer may have at most; nobody who does not know us has much to say. */
  get mostAnswerBytes(): number {
    return this.#authentication === null ? this.#route.maxFrameBytes : MOST_ANSWER_BYTES;
  }

  /**
   * What the broker can, and what its cluster is. A broker that does not know our version of ApiVersions answers it with
   * an error; older versions are asked along, so that a greeting is one round trip with every broker.
   */
  #questions(): Buffer {
    const requests = GREETING_VERSIONS.map((version) =>
      apiVersionsRequest(version, this.#expect(Owner.versions, ApiKey.apiVersions, version)),
    );
    requests.push(topologyRequest(this.#expect(Owner.topology, ApiKey.metadata, OWN_METADATA_VERSION)));
    return Buffer.concat(requests);
  }

  #askVersions(version: number): Buffer {
    return apiVersionsRequest(version, this.#expect(Owner.versions, ApiKey.apiVersions, version));
  }

  /** Undefined where the broker knows the connection's client and not us. */
  ping(): Buffer | undefined {
    if (this.#route.passesSasl) return undefined;
    const range = this.#versions?.ranges.get(ApiKey.apiVersions);
    const tells = range !== undefined && range.min <= PING_VERSION && range.max >= PING_VERSION;
    const version = tells ? PING_VERSION : 0;
    return apiVersionsRequest(version, this.#expect(Owner.ping, ApiKey.apiVersions, version));
  }

  refresh(): Buffer | undefined {
    if (this.#route.passesSasl) return undefined;
    // A broker closes the connection on a version that it does not know.
    const range = this.#versions?.ranges.get(ApiKey.metadata);
    if (range === undefined) return undefined;
    if (this.#renewing.length === 0) this.#renewal = this.#cache.next();
    const requests: Buffer[] = [];
    for (const key of this.#route.questions(this.#identity)) {
      const { version } = key;
      const rest = version >= range.min && version <= range.max ? creatingNothing(key) : null;
      if (rest === null) continue;
      this.#renewing.push(key);
      requests.push(metadataRequest(version, this.#expect(Owner.refresh, ApiKey.metadata, version), rest));
    }
    if (requests.length === 0) return undefined;
    return Buffer.concat(requests);
  }

  /** Takes the answer to our oldest request. @throws {MalformedError} */
  conclude(bytes: Buffer, start: number, end: number, sink: UpstreamSink<never>): OwnFailure | null {
    const { owner, version } = this.#inFlight;
    this.throttleMilliseconds = 0;
    switch (owner) {
      case Owner.sasl:
        return this.#authenticate(bytes, start, end, sink);
      case Owner.versions:
        this.#takeVersions(bytes, start, end, version);
        this.#inFlight.shift();
        return this.#route.passesSasl ? this.#goOn(bytes, start, end, version, sink) : null;
      case Owner.topology: {
        const failure = this.#takeTopology(bytes, start, end, sink);
        this.#inFlight.shift();
        if (failure === null) sink.ready();
        return failure;
      }
      case Owner.refresh:
        this.#takeRenewed(bytes, start, end, version, sink);
        this.#inFlight.shift();
        if (this.#renewing.length === 0) sink.refreshed();
        return null;
      default:
        this.#readVersions(bytes, start, end, version);
        this.#inFlight.shift();
        sink.ponged();
        return null;
    }
  }

  #authenticate(bytes: Buffer, start: number, end: number, sink: UpstreamSink<never>): OwnFailure | null {
    const { apiKey, version } = this.#inFlight;
    this.#inFlight.shift();
    try {
      const next = this.#authentication?.take(apiKey, version, bytes, start, end) ?? null;
      if (next === null) {
        this.lifetimeMilliseconds = this.#authentication?.lifetimeMilliseconds ?? 0;
        this.#authentication = null;
        this.#isKnown = true;
      }
      sink.reply(next ?? this.#questions());
      return null;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { reason: 'dial_failed', detail: error.message, failure: error.failure };
    }
  }

  #takeVersions(bytes: Buffer, start: number, end: number, version: number): void {
    const versions = this.#readVersions(bytes, start, end, version);
    // Behind the one that was understood comes the plain answer.
    if (this.#versions === null && versions !== null)
      this.#versions = this.#route.learnVersions(this.#target.node, versions);
  }

  /**
   * Before it knows who asks, a broker answers ApiVersions once and nothing else of ours, so that one is all that is asked;
   * and as long as it does not know the version, in an older one.
   */
  #goOn(bytes: Buffer, start: number, end: number, version: number, sink: UpstreamSink<never>): OwnFailure | null {
    if (this.#versions !== null) {
      sink.ready();
      return null;
    }
    if (version === 0) return TELLS_NO_VERSIONS;
    const newest = newestApiVersionsIn(new Cursor(bytes, start + ANSWER_HEAD_BYTES, end, false));
    sink.reply(this.#askVersions(newest < version ? Math.max(0, newest) : 0));
    return null;
  }

  #readVersions(bytes: Buffer, start: number, end: number, version: number): Versions | null {
    const body = new Cursor(bytes, start + ANSWER_HEAD_BYTES, end, version >= FIRST_FLEXIBLE_VERSIONS);
    const { versions, throttleMilliseconds } = readApiVersions(body, version, this.#route.offersSasl);
    this.throttleMilliseconds = throttleMilliseconds;
    return versions;
  }

  #takeTopology(bytes: Buffer, start: number, end: number, sink: UpstreamSink<never>): OwnFailure | null {
    if (this.#versions === null) return TELLS_NO_VERSIONS;
    const { topology } = readAnswer(ApiKey.metadata, OWN_METADATA_VERSION, bytes, start, end);
    if (topology === null || !topology.complete)
      return { reason: 'dial_failed', detail: 'the broker names no broker of its cluster, not even itself' };
    const failure = this.#checkCluster(topology);
    if (failure !== null) return failure;
    const problem = this.#whyWrongBroker(topology);
    sink.named(topology);
    return problem === null ? null : { reason: 'dial_failed', detail: problem };
  }

  #checkCluster({ clusterId, nodes }: Topology): OwnFailure | null {
    const expected = this.#route.clusterId;
    if (!this.#route.learnCluster(clusterId))
      return { reason: 'cluster_changed', detail: `cluster ${clusterId} answered where ${expected} was expected` };
    this.#route.learnListed(nodes);
    return null;
  }

  /** The node must still be advertised where it was dialled. */
  #whyWrongBroker({ nodes }: Topology): string | null {
    const { node } = this.#target;
    if (node === BOOTSTRAP || nodes.some((known) => known.node === node)) return this.#whyMoved(nodes);
    return `the cluster does not list node ${node} now`;
  }

  #whyMoved(nodes: readonly BrokerNode[]): string | null {
    const { node, host, port } = this.#target;
    const advertised = nodes.find((known) => known.node === node);
    if (advertised === undefined || (advertised.host === host && advertised.port === port)) return null;
    return `node ${node} moved to ${advertised.host}:${advertised.port}`;
  }

  /**
   * A client is to be told of these brokers. Where only clients may ask, their answers show whether this is the broker that
   * was dialled; one that is not listed is on its way out, and may serve its clients until then.
   */
  heard(topology: Topology, sink: UpstreamSink<never>): OwnFailure | null {
    const judges = this.#route.passesSasl && topology.complete;
    const failure = judges ? this.#checkCluster(topology) : null;
    if (failure !== null) return failure;
    sink.named(topology);
    const moved = judges ? this.#whyMoved(topology.nodes) : null;
    return moved === null ? null : { reason: 'cluster_changed', detail: moved };
  }

  #takeRenewed(bytes: Buffer, start: number, end: number, version: number, sink: UpstreamSink<never>): void {
    const key = this.#renewing.shift();
    const { topology, edits, throttleMilliseconds, clean } = readAnswer(ApiKey.metadata, version, bytes, start, end);
    this.throttleMilliseconds = throttleMilliseconds;
    if (key === undefined || topology === null) return;
    sink.named(topology);
    const { addresses } = this.#route;
    // An answer that names a broker without a listener is not kept: whoever asks will ask a broker.
    const complete = topology.nodes.every(({ node }) => addresses.find(node) !== undefined);
    const frame = applyEdits(bytes, start, end, complete ? edits(addresses) : []);
    this.#cache.take(key, frame.subarray(ANSWER_HEAD_BYTES), clean && complete, this.#renewal);
  }
}
