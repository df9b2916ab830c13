/** One Pulsar client: finds each frame in its bytes and says what becomes of it, and over which connection it goes. */
import type { ClientRouting, Registration } from '../../contract/multiplexing.ts';
import { type ClientSession, Demand, Verdict } from '../../contract/protocol.ts';
import type { CloseReason, PinReason } from '../../contract/reasons.ts';
import { BOOTSTRAP } from '../../contract/topology.ts';
import { ClientProducers } from './client-producers.ts';
import { LAST_TYPE, NO_REQUEST, REQUEST_OF, type Request, Type, UNKNOWN_REQUEST } from './commands.ts';
import { type Connect, type Connected, connectedFrame, readConnect } from './connect.ts';
import { recognise } from './foreign.ts';
import { commandFault, frameFault, MOST_CONNECT_BYTES } from './frame-fault.ts';
import { leadingNumberAt } from './frame-head.ts';
import { PONG } from './heartbeat.ts';
import type { Redirect } from './link.ts';
import { type Command, commandIn, FRAME_HEAD_BYTES, fieldsOf, MalformedError, numberIn } from './message.ts';
import { OwnLedgers } from './own-ledgers.ts';
import type { Producer } from './producer.ts';
import { LOOKUP, ownPurposeOf, ProducerPlaces } from './purposes.ts';
import { refusalFrame, TURNED_AWAY } from './refusal.ts';
import { pinsAmong, registrationsOf } from './registrations.ts';
import { Renewals } from './renewals.ts';
import type { PulsarRoute } from './route.ts';
import { isSoundProducer, isSoundQuestion, soundnessOfSend } from './soundness.ts';

const SIZE_BYTES = 4;
const SEND = REQUEST_OF[Type.send] ?? UNKNOWN_REQUEST;
const NOTHING_ASKED: Request = { ...UNKNOWN_REQUEST, name: '', pin: undefined };

export class PulsarClientSession implements ClientSession, ClientRouting {
  size = 0;
  demand: Demand = Demand.pool;
  work = false;
  identity = '';
  closeReason: CloseReason = 'protocol_error';
  closeDetail = '';
  node: string;
  purpose = '';
  previous: string | null = null;
  /** The broker that it wanted to be connected with; else the listener's, or BOOTSTRAP. */
  homeNode: string;
  /** The inspected request. */
  type = 0;
  request: Request = NOTHING_ASKED;
  requestId: bigint | null = null;
  resource: bigint | null = null;
  /** What it said of itself; null before it did. */
  connect: Connect | null = null;
  /** What it was told of brokers; null before it was. */
  told: Connected | null = null;
  readonly number: number;
  readonly ownPurpose: string;
  /** By the request id of the client. */
  readonly redirects = new Map<bigint, Redirect>();
  readonly producers: ClientProducers;
  /** What the inspected request is about, if that may share a connection. */
  producer: Producer | null = null;
  /** Of its own connections that are open. */
  readonly ledgers = new OwnLedgers();
  readonly renewals: Renewals;
  readonly routing: ClientRouting = this;
  readonly attach = (tell: (frame: Buffer) => void): void => this.renewals.attach(tell);
  readonly #route: PulsarRoute;
  #answer: Buffer | null = null;
  /** What it will have been told, once that is written. */
  #telling: Connected | null = null;
  #greeted = false;
  readonly #places: ProducerPlaces;

  constructor(route: PulsarRoute, number: number, listener: string) {
    this.#route = route;
    this.number = number;
    this.ownPurpose = ownPurposeOf(number);
    this.#places = new ProducerPlaces(number);
    this.node = listener;
    this.homeNode = listener;
    this.renewals = new Renewals(route, this);
    this.producers = new ClientProducers(route.producerNames);
  }

  get pinned(): boolean {
    return this.ledgers.keptBy !== undefined;
  }
  /** Of the inspected request, else of what is open. */
  get pin(): PinReason | undefined {
    return this.request.pin ?? this.ledgers.keptBy;
  }

  inspect(bytes: Buffer, start: number, end: number, mayAnswer: boolean): Verdict {
    this.size = 0;
    this.#answer = null;
    this.#telling = null;
    this.previous = null;
    this.producer = null;
    if (end - start < SIZE_BYTES) return Verdict.incomplete;
    const foreign = this.#greeted ? null : recognise(bytes, start, end);
    const length = bytes.readUInt32BE(start);
    const fault = foreign ?? frameFault(length, this.#route.maxFrameBytes, this.told);
    if (fault !== null) return this.#close(fault.reason, fault.detail);
    this.size = SIZE_BYTES + length;
    if (end - start < FRAME_HEAD_BYTES) return Verdict.incomplete;
    const commandBytes = bytes.readUInt32BE(start + SIZE_BYTES);
    const unfit = commandFault(commandBytes, length);
    if (unfit !== null) return this.#close(unfit.reason, unfit.detail);
    this.#greeted = true;
    if (end - start < FRAME_HEAD_BYTES + commandBytes) return Verdict.incomplete;
    const producer = this.told === null ? undefined : leadingNumberAt(bytes, start, Type.send);
    try {
      if (producer !== undefined) return this.#inspectSend(producer, bytes, start, end);
      return this.#classify(bytes, start, end, commandIn(bytes, start), mayAnswer);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return this.#close('protocol_error', error.message);
    }
  }

  #classify(bytes: Buffer, start: number, end: number, command: Command, mayAnswer: boolean): Verdict {
    const { type } = command;
    const request = REQUEST_OF[type] ?? (type > LAST_TYPE ? UNKNOWN_REQUEST : undefined);
    this.type = type;
    const complete = end - start >= this.size;
    if (this.told === null) {
      if (type !== Type.connect) return this.#close('protocol_error', 'a client must begin with CONNECT');
      return complete ? this.#inspectConnect(bytes, command, mayAnswer) : Verdict.incomplete;
    }
    if (request === undefined) return this.#close('protocol_error', `a client sent a command of type ${type}`);
    this.request = request;
    this.work = request.work;
    this.demand = request.pin === undefined ? Demand.pool : Demand.pin;
    if (request.kind === 'session' && this.size > MOST_CONNECT_BYTES)
      return this.#close('protocol_error', `${request.name} of ${this.size} bytes`);
    if (request.kind === 'session') return complete ? this.#inspectSession(bytes, command) : Verdict.incomplete;
    if (request.kind === 'refuse')
      return this.#close('refused_api', `${request.name} is not offered: its answers lead past the sidecar`);
    const fields = request.requestId === 0 && request.resource === 0 ? [] : fieldsOf(bytes, command.at, command.end);
    this.requestId = numberIn(fields, request.requestId) ?? null;
    this.resource = numberIn(fields, request.resource) ?? null;
    if (type === Type.send) return this.#inspectSend(this.resource, bytes, start, end);
    let asked: Producer | null | Buffer = null;
    if (type === Type.producer && this.resource !== null && this.#mayShare && isSoundProducer(bytes, command)) {
      if (!complete) return Verdict.incomplete;
      const frame = bytes.subarray(start, start + this.size);
      asked = this.producers.proposed(frame, this.resource, this.requestId ?? NO_REQUEST);
    } else if (type === Type.closeProducer) {
      if (!complete) return Verdict.incomplete;
      asked = this.producers.end(this.resource ?? NO_REQUEST, this.requestId ?? NO_REQUEST);
    }
    if (Buffer.isBuffer(asked)) return this.#answerWith(asked);
    this.producer = asked;
    if (this.producer !== null) return this.#goToProducers();
    if (request.kind === 'own') return this.#goTo(this.homeNode, this.ownPurpose);
    if (this.size > this.#route.multiplexing.wholeFrameBytes)
      return this.#close('protocol_error', `${request.name} of ${this.size} bytes`);
    if (this.requestId === null || !isSoundQuestion(bytes, command))
      return this.#close('protocol_error', `${request.name} lacks what brokers close a connection for`);
    const redirect = type === Type.lookup ? this.redirects.get(this.requestId) : undefined;
    return this.#goTo(redirect?.node ?? this.homeNode, LOOKUP);
  }

  /**
   * A broker would close the connection for a message that it takes for nobody's.
   *
   * @param id a number if it is exact as one
   */
  #inspectSend(id: bigint | number | null, bytes: Buffer, start: number, end: number): Verdict {
    this.type = Type.send;
    this.request = SEND;
    this.work = true;
    this.demand = Demand.pool;
    this.requestId = null;
    const shared = id === null ? undefined : this.producers.find(id);
    this.resource = shared?.id ?? (id === null ? null : BigInt(id));
    if (shared === undefined && (this.resource === null || !this.producers.has(this.resource)))
      return this.#close('protocol_error', 'a message for a producer that the client has not opened');
    const soundness = shared === undefined ? 'sound' : soundnessOfSend(bytes, start, end);
    if (soundness === 'alone') this.isolate();
    if (soundness === 'unsound')
      return this.#close('protocol_error', 'a message lacks what brokers close a connection for');
    if (shared !== undefined) return this.#inspectShared(shared);
    if (this.ledgers.hasProducer(this.resource ?? NO_REQUEST)) return this.#goTo(this.homeNode, this.ownPurpose);
    return Verdict.discard; // it was closed meanwhile, and the client does not know yet
  }

  /** A message for a producer that may share a connection. */
  #inspectShared(producer: Producer): Verdict {
    const verdict = this.producers.message(producer);
    if (verdict === 'discard') return Verdict.discard;
    if (verdict !== 'forward') {
      this.size = 0; // the message itself is looked at again, and is nobody's then
      return this.#answerWith(verdict);
    }
    this.producer = producer;
    if (producer.isBusy || this.size > this.#route.multiplexing.wholeFrameBytes) this.isolate();
    return this.#goToProducers();
  }

  /** All its producers are at one place. */
  #goToProducers(): Verdict {
    const { isIsolated } = this.producers;
    this.previous = this.#places.purpose(!isIsolated);
    return this.#goTo(this.homeNode, this.#places.purpose(isIsolated));
  }

  /** Its producers may be opened over a connection that others use. */
  get #mayShare(): boolean {
    const isWhole = this.size <= this.#route.multiplexing.wholeFrameBytes;
    return isWhole && this.homeNode !== BOOTSTRAP;
  }

  #answerWith(frame: Buffer): Verdict {
    this.#answer = frame;
    return Verdict.answer;
  }

  #goTo(node: string, purpose: string): Verdict {
    this.node = node;
    this.purpose = purpose;
    return Verdict.forward;
  }

  #inspectConnect(bytes: Buffer, command: Command, mayAnswer: boolean): Verdict {
    const connect = readConnect(bytes, command);
    const refusal = this.renewals.isTurnedAway ? TURNED_AWAY : this.#route.refusalOf(connect);
    if (refusal !== null) {
      this.#answer = refusalFrame(refusal.error, refusal.detail);
      this.#close(refusal.reason, refusal.detail);
      return Verdict.dismiss;
    }
    this.connect = connect;
    this.#places.speaksAs(connect);
    if (connect.proxyToBroker !== '') this.homeNode = this.#route.nodeOf(connect.proxyToBroker);
    this.renewals.holdOnce(connect);
    this.work = false;
    this.demand = Demand.pool;
    // One such connection tells all clients of an identity what this broker can.
    this.#goTo(this.homeNode, LOOKUP);
    const told = this.#route.wouldTell(this.identity, this.homeNode, connect.protocolVersion);
    if (!mayAnswer || told === null) return Verdict.learn;
    this.#telling = told;
    return this.#answerWith(connectedFrame(told));
  }

  #inspectSession(bytes: Buffer, command: Command): Verdict {
    switch (this.type) {
      case Type.ping:
        return this.#answerWith(PONG);
      case Type.pong:
        return Verdict.discard;
      case Type.authResponse: {
        const challenge = this.renewals.renewed(bytes, command);
        if (challenge === null) return Verdict.discard;
        return challenge.link === null
          ? this.#answerWith(Buffer.alloc(0))
          : this.#goTo(challenge.node, challenge.purpose);
      }
      default:
        return this.#close('protocol_error', 'a client sent CONNECT twice');
    }
  }

  #close(reason: CloseReason, detail: string): Verdict {
    this.closeReason = reason;
    this.closeDetail = detail;
    return Verdict.close;
  }

  answer(): Buffer {
    const answer = this.#answer;
    if (answer === null) throw new Error('there is no answer to the request inspected last');
    this.#answer = null;
    this.told ??= this.#telling;
    this.#telling = null;
    this.producers.answered();
    if (this.type === Type.authResponse) this.renewals.answered(null);
    this.#route.countAbsorbed(this.type);
    return answer;
  }

  /** The inspected request goes to a broker. */
  admitted(): void {
    if (this.type === Type.lookup && this.requestId !== null) this.redirects.delete(this.requestId);
    this.#route.countForwarded(this.type);
  }

  isolate(): void {
    this.producers.isIsolated = true;
  }

  turnedAway(): boolean {
    return this.told === null && this.renewals.turnedAway();
  }

  registrations(): readonly Registration[] {
    return registrationsOf(this, this.#places.purpose(this.producers.isIsolated), this.#route.multiplexing);
  }

  pins(): readonly PinReason[] {
    return pinsAmong(this.registrations());
  }

  close(): void {
    this.renewals.letGo();
    this.producers.close();
    this.#route.clientGone(this);
  }
}
