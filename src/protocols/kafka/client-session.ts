/** One Kafka client: finds each request in its bytes and says what becomes of it. Integers only, no object a frame. */
import { type ClientSession, Demand, Verdict } from '../../contract/protocol.ts';
import type { CloseReason, PinReason } from '../../contract/reasons.ts';
import { APIS, type Api, ApiKey, bearsAddresses } from './api-table.ts';
import { MAX_API_VERSIONS, unsupportedVersionBody, type Versions } from './api-versions.ts';
import { recognise } from './foreign.ts';
import type { MetadataKey } from './housekeeping-cache.ts';
import { GENEROUS_MILLISECONDS, patienceOf } from './patience.ts';
import {
  afterClientId,
  afterHeader,
  afterString,
  FIXED_HEAD_BYTES,
  int16At,
  LACKING,
  SIZE_BYTES,
  SMALLEST_REQUEST_BYTES,
} from './request-head.ts';
import type { KafkaRoute } from './route.ts';
import { BareTokens, MOST_TOKEN_BYTES } from './sasl/bare-tokens.ts';
import { type Judgement, type LocalLogin, NO_LOGIN } from './sasl/local-login.ts';
import { Sleeper } from './sleeper.ts';
import { Writer } from './writer.ts';

/** Acks stand behind two strings, of 32,767 bytes at most, and tagged fields. */
const MOST_BYTES_BEFORE_ACKS = 128 * 1024;
/** Three strings, of 32,767 bytes at most. */
const MOST_VERSIONS_BYTES = 128 * 1024;
/** A longer Metadata request is not kept for a sleeper. */
const MOST_QUESTION_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

export class KafkaClientSession implements ClientSession {
  size = 0;
  demand: Demand = Demand.pool;
  pin: PinReason | undefined = undefined;
  pinned = false;
  work = false;
  identity = '';
  closeReason: CloseReason = 'protocol_error';
  closeDetail = '';
  apiKey = 0;
  version = 0;
  correlationId = 0;
  /** False only for Produce with acks=0. */
  expectsAnswer = true;
  patienceMilliseconds = 0;
  /** The inspected Metadata request; null if it is too large to be kept. */
  metadataKey: MetadataKey | null = null;
  /** The ranges that this client was told. */
  told: Versions | null = null;
  readonly sleeper = new Sleeper();
  /** A node, or BOOTSTRAP. */
  readonly listener: string;
  readonly #route: KafkaRoute;
  #greeted = false;
  #answerBody: Buffer | null = null;
  /** The judgement on it is the answer. */
  #judgement: Judgement | null = null;
  /** Null: whoever connects may ask. */
  readonly #login: LocalLogin | null;
  /** Null: it may not authenticate itself to the broker. */
  readonly #passing: BareTokens | null;
  /** The inspected frame is a SASL token without a request around it. */
  isBareToken = false;
  #answering: Versions | null = null;
  /** Once pinned for life, every request of this client is. */
  #pinnedBy: PinReason | undefined = undefined;
  #pinnedHard = false;

  constructor(route: KafkaRoute, listener: string, login: LocalLogin | null) {
    this.#route = route;
    this.listener = listener;
    this.#login = login;
    this.#passing = route.passesSasl ? new BareTokens() : null;
    this.identity = login?.identity ?? '';
  }

  inspect(bytes: Buffer, start: number, end: number, mayAnswer: boolean, owing: boolean): Verdict {
    this.size = 0;
    if (end - start < SIZE_BYTES) return Verdict.incomplete;
    const length = bytes.readInt32BE(start);
    if (!this.#greeted) {
      const foreign = recognise(bytes, start, end);
      if (foreign !== null) return this.#close(foreign.reason, foreign.detail);
    }
    if (this.#login?.expectsBareToken === true) return this.#inspectBareToken(this.#login, bytes, start, end, length);
    this.isBareToken = false;
    const passes = length >= 0 ? this.#passing?.isToken(bytes, start, end) : false;
    if (passes === true) return this.#passBareToken(length);
    if (length < SMALLEST_REQUEST_BYTES)
      return this.#close('protocol_error', `a request cannot be ${length} bytes long`);
    if (length > this.#route.maxFrameBytes) {
      return this.#close('frame_too_large', `a request of ${length} bytes exceeds limits.maxFrameBytes`);
    }
    this.size = SIZE_BYTES + length;
    if (end - start < FIXED_HEAD_BYTES || (this.#passing !== null && passes === undefined)) return Verdict.incomplete;
    this.#greeted = true;
    this.apiKey = bytes.readInt16BE(start + 4);
    this.version = bytes.readInt16BE(start + 6);
    this.correlationId = bytes.readInt32BE(start + 8);
    this.expectsAnswer = true;
    this.patienceMilliseconds = 0;
    this.metadataKey = null;
    this.#judgement = null;
    const refusal = this.#login?.refusal(this.apiKey) ?? null;
    if (refusal !== null) return this.#close(refusal.reason, refusal.detail);
    const api = APIS[this.apiKey];
    const stop = Math.min(end, start + this.size);
    const verdict = api === undefined ? this.#unknown() : this.#classify(api, bytes, start, stop, mayAnswer, owing);
    if (this.#passing !== null && verdict === Verdict.forward) {
      this.#pinAsPassing();
    } else if (this.#pinnedBy !== undefined) {
      const becomesHard = verdict === Verdict.forward && this.demand === Demand.pinHard;
      this.pin = this.#pinnedBy;
      this.demand = this.#pinnedHard || becomesHard ? Demand.pinHard : Demand.pin;
    }
    return verdict;
  }

  #classify(api: Api, bytes: Buffer, start: number, end: number, mayAnswer: boolean, owing: boolean): Verdict {
    switch (api.kind) {
      case 'versions':
        return this.#inspectVersions(end - start === this.size, mayAnswer);
      case 'refuse':
      case 'hidden':
        return this.#close('refused_api', `${api.name} is not offered to applications`);
      case 'sasl':
        if (this.#passing !== null) break; // the broker's business
        return this.#inspectSasl(bytes, start, end, mayAnswer);
      default:
    }
    if (this.version < 0) return this.#close('protocol_error', `${api.name} in version ${this.version}`);
    if (this.version > api.maxVersion || this.version < api.minVersion) {
      if (!bearsAddresses(api.key)) return this.#unknown();
      return this.#close('refused_api', `${api.name} in version ${this.version} names brokers in a way unknown to us`);
    }
    this.work = api.work;
    this.pin = undefined;
    const complete = end - start === this.size;
    switch (api.kind) {
      case 'produce':
        return this.#inspectProduce(api, bytes, start, end, complete);
      case 'metadata':
        return this.#inspectMetadata(bytes, start, end, complete, mayAnswer && !owing);
      case 'pinHard':
        this.pin = 'share_session';
        this.demand = Demand.pinHard;
        break;
      default:
        this.demand = api.kind === 'hold' ? Demand.hold : Demand.pool;
    }
    this.patienceMilliseconds = patienceOf(api, this.version, bytes, start, end);
    return Verdict.forward;
  }

  /** What we do not understand is in use, and keeps a connection of its own. */
  #unknown(): Verdict {
    this.work = true;
    this.demand = Demand.pin;
    this.pin = 'unknown_api';
    this.patienceMilliseconds = GENEROUS_MILLISECONDS;
    return Verdict.forward;
  }

  #inspectVersions(complete: boolean, mayAnswer: boolean): Verdict {
    if (this.size > MOST_VERSIONS_BYTES)
      return this.#close('protocol_error', `an ApiVersions request of ${this.size} bytes`);
    if (!complete) return Verdict.incomplete; // what is answered is consumed, all of it
    const versions = this.#route.versionsFor(this.listener);
    if (!mayAnswer || versions === null) return Verdict.learn;
    const known = this.version >= 0 && this.version <= MAX_API_VERSIONS;
    this.#answerBody = known ? versions.body(this.version) : unsupportedVersionBody();
    this.#answering = versions;
    return Verdict.answer;
  }

  /** The broker has to know who it is, and knows it by the connection. */
  #pinAsPassing(): void {
    this.pin = 'sasl';
    this.demand = Demand.pinHard;
  }

  #passBareToken(length: number): Verdict {
    if (length > MOST_TOKEN_BYTES) return this.#close('protocol_error', `a SASL token of ${length} bytes`);
    this.size = SIZE_BYTES + length;
    this.isBareToken = true;
    this.apiKey = ApiKey.saslAuthenticate;
    this.work = false;
    this.patienceMilliseconds = 0;
    this.#pinAsPassing();
    return Verdict.forward;
  }

  #inspectSasl(bytes: Buffer, start: number, end: number, mayAnswer: boolean): Verdict {
    const judgement = this.#login === null ? NO_LOGIN : this.#login.judge(this, bytes, start, end);
    const isGreeting = judgement?.end === null && this.apiKey === ApiKey.saslHandshake;
    return isGreeting && !mayAnswer ? Verdict.learn : this.#judged(judgement); // a dead broker shakes no hands
  }

  #inspectBareToken(login: LocalLogin, bytes: Buffer, start: number, end: number, length: number): Verdict {
    this.size = SIZE_BYTES + length;
    this.apiKey = ApiKey.saslAuthenticate;
    return this.#judged(login.judgeBare(length, bytes, start + SIZE_BYTES, end));
  }

  #judged(judgement: Judgement | null): Verdict {
    if (judgement === null) return Verdict.incomplete;
    this.#judgement = judgement;
    if (judgement.end === null) return Verdict.answer;
    this.#close(judgement.end.reason, judgement.end.detail);
    // A bare token that is refused has no answer, and is not refused any faster.
    const guessed = judgement.end.reason === 'authentication_failed';
    return guessed || judgement.answer !== null ? Verdict.dismiss : Verdict.close;
  }

  #inspectProduce(api: Api, bytes: Buffer, start: number, end: number, complete: boolean): Verdict {
    const flexible = this.version >= api.firstFlexible;
    let at = afterHeader(bytes, start, end, flexible);
    if (at !== LACKING && this.version >= 3) at = afterString(bytes, at, end, flexible);
    const acks = int16At(bytes, at, end);
    if (acks === undefined) {
      if (complete) return this.#close('protocol_error', 'a Produce request ends before its acks');
      if (end - start < MOST_BYTES_BEFORE_ACKS) return Verdict.incomplete;
      return this.#close('protocol_error', `the first ${end - start} bytes of a Produce request hold no acks`);
    }
    this.expectsAnswer = acks !== 0;
    this.demand = this.expectsAnswer ? Demand.pool : Demand.pin;
    this.pin = this.expectsAnswer ? undefined : 'acks_zero';
    this.patienceMilliseconds = patienceOf(api, this.version, bytes, at, end);
    return Verdict.forward;
  }

  #inspectMetadata(bytes: Buffer, start: number, end: number, complete: boolean, mayAnswer: boolean): Verdict {
    this.demand = Demand.pool;
    if (!complete) return Verdict.forward; // the core waits for the rest, or it is too large to be kept
    const at = afterClientId(bytes, start, end);
    if (at === LACKING) return this.#close('protocol_error', 'a Metadata request ends within its client id');
    if (end - at > MOST_QUESTION_BYTES || this.#passing !== null) return Verdict.forward;
    this.metadataKey = { version: this.version, rest: bytes.toString('latin1', at, end) };
    if (!mayAnswer) return Verdict.forward;
    this.#answerBody = this.sleeper.answerFrom(this.#route.cacheOf(this.identity), this.metadataKey);
    return this.#answerBody === null ? Verdict.forward : Verdict.answer;
  }

  #close(reason: CloseReason, detail: string): Verdict {
    this.closeReason = reason;
    this.closeDetail = detail;
    return Verdict.close;
  }

  answer(): Buffer {
    const judged = this.#judgement?.answer ?? (this.#judgement?.end == null ? null : NOTHING);
    if (judged !== null) {
      this.#login?.commit();
      this.identity = this.#login?.identity ?? '';
      this.#route.countAbsorbed(this.apiKey);
      this.#forget();
      return judged;
    }
    const body = this.#answerBody;
    if (body === null) throw new Error('there is no answer to the request inspected last');
    if (this.apiKey === ApiKey.apiVersions) this.told = this.#answering;
    else if (this.metadataKey !== null) this.sleeper.toldFrom(this.#route.cacheOf(this.identity), this.metadataKey);
    this.#route.countAbsorbed(this.apiKey);
    this.#passing?.tookRequest(null);
    const frame = new Writer(false).int32(this.correlationId).raw(body).frame();
    this.#forget();
    return frame;
  }

  /** The inspected request goes to a broker. */
  admitted(): void {
    if (this.isBareToken) this.#passing?.tookToken();
    else this.#passing?.tookRequest(this.apiKey === ApiKey.saslHandshake ? this.version : null);
    if (this.pin === 'unknown_api' || this.pin === 'share_session' || this.pin === 'sasl') {
      this.pinned = true;
      this.#pinnedBy = this.pin;
      this.#pinnedHard = this.demand === Demand.pinHard;
    }
    if (this.work) this.sleeper.worked();
    this.#route.countForwarded(this.apiKey);
    this.#forget();
  }

  /** A client that falls asleep keeps neither its question nor an answer, which may both be large. */
  #forget(): void {
    this.metadataKey = null;
    this.#answerBody = null;
    this.#judgement = null;
    this.#answering = null;
  }

  close(): void {
    this.#route.clientGone(this);
  }
}
