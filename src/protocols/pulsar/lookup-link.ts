/**
 * A connection for questions: those of all clients of one identity, each under a request id of ours. Redirects are
 * followed here, and what a lookup finds leads clients back to us.
 */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { CloseReason } from '../../contract/reasons.ts';
import { AnsweredBrokers } from './answered-brokers.ts';
import type { PulsarClientSession } from './client-session.ts';
import { NO_REQUEST, REQUEST_ID_OF_ANSWER, ServerError, Type } from './commands.ts';
import type { Failure, Link, LinkContext } from './link.ts';
import {
  type Command,
  commandIn,
  type Field,
  fieldsOf,
  frameOf,
  MessageWriter,
  numberIn,
  numberOf,
  textIn,
  withNumber,
} from './message.ts';
import { type Question, Questions } from './questions.ts';
import type { PulsarRoute } from './route.ts';

const MOST_HOPS = 20;
/** `CommandLookupTopicResponse.LookupType` */
const REDIRECT = 0n;
const CONNECT = 1n;
const FAILED = 2n;

interface Blocked<T> {
  readonly question: Question<T>;
  readonly frame: Buffer;
}

const NOTHING = Buffer.alloc(0);

export class LookupLink<T> implements Link<T> {
  readonly exclusive = false;
  readonly pinned = false;
  head: Buffer | null = null;
  replaced = 0;
  readonly #route: PulsarRoute;
  readonly #context: LinkContext;
  readonly #brokers: AnsweredBrokers;
  readonly #questions = new Questions<T>();
  readonly #tenants = new Map<T, PulsarClientSession>();
  #blocked: Blocked<T> | null = null;

  constructor(route: PulsarRoute, context: LinkContext) {
    this.#route = route;
    this.#context = context;
    this.#brokers = new AnsweredBrokers(route, context);
  }

  get owed(): number {
    return this.#questions.size + (this.#blocked === null ? 0 : 1);
  }
  get blocked(): boolean {
    return this.#blocked !== null;
  }

  lend(): void {
    // Who asks is known with the first question.
  }

  renewers(): Iterable<[T, PulsarClientSession]> {
    return this.#tenants;
  }

  owes(tenant: T): boolean {
    return this.#questions.isOwedTo(tenant) || this.#blocked?.question.tenant === tenant;
  }

  keeps(): boolean {
    return false;
  }

  prepare(client: PulsarClientSession, tenant: T): null {
    this.#tenants.set(tenant, client);
    return null;
  }

  admit(client: PulsarClientSession, tenant: T, bytes: Buffer, start: number): CloseReason | undefined {
    const { type, request, requestId } = client;
    if (requestId === null) return 'protocol_error';
    const command = commandIn(bytes, start);
    this.#tenants.set(tenant, client);
    const isLookup = type === Type.lookup;
    const hops = isLookup ? (client.redirects.get(requestId)?.hops ?? 0) : 0;
    const frame = isLookup ? Buffer.from(bytes.subarray(start, start + client.size)) : NOTHING;
    const own = this.#questions.ask(tenant, { client, id: requestId, type, frame, hops });
    this.head = withNumber(bytes, command, request.requestId, own);
    this.replaced = client.size;
    client.admitted();
    return undefined;
  }

  passNext(): void {
    this.head = null;
    this.replaced = 0;
  }

  leave(tenant: T): undefined {
    this.#tenants.get(tenant)?.renewals.linkGone(this);
    this.#tenants.delete(tenant);
    this.#questions.leave(tenant);
    if (this.#blocked?.question.tenant === tenant) this.#blocked.question.tenant = null;
  }

  park(): undefined {
    return undefined;
  }

  gone(): readonly T[] {
    for (const client of this.#tenants.values()) client.renewals.linkGone(this);
    return [];
  }

  passes(): boolean {
    return false;
  }

  acknowledges(): boolean {
    return false;
  }

  take(bytes: Buffer, start: number, end: number, command: Command, sink: UpstreamSink<T>): 'done' | Failure {
    const idField = REQUEST_ID_OF_ANSWER.get(command.type);
    if (idField === undefined) {
      return { reason: 'unsolicited_bytes', detail: `a command of type ${command.type} on a connection for questions` };
    }
    const own = numberOf(bytes, command, idField);
    if (command.type === Type.error && own === NO_REQUEST) {
      const words = textIn(bytes, fieldsOf(bytes, command.at, command.end), 3) ?? 'an error';
      return { reason: 'broker_closed', detail: `the broker says: ${words}` };
    }
    const question = own === undefined ? undefined : this.#questions.find(own);
    if (own === undefined || question === undefined)
      return { reason: 'wrong_correlation_id', detail: `an answer to ${own}, which was not asked` };
    if (command.type !== Type.error && command.type !== question.type + 1)
      return {
        reason: 'protocol_error',
        detail: `a question of type ${question.type} is answered with ${command.type}`,
      };
    this.#questions.answered(own, question);
    if (this.#questions.size === 0) this.head = null; // a quiet connection keeps nothing of what it carried
    if (command.type === Type.lookupResponse) {
      this.#found(question, bytes.subarray(start, end), command.at - start, command.end - start, sink);
    } else {
      this.#deliver(question, withNumber(bytes, command, idField, question.id), sink);
    }
    return 'done';
  }

  /** What a lookup found: `frame` is the broker's answer, whose message stands in `frame[at, end)`. */
  #found(question: Question<T>, frame: Buffer, at: number, end: number, sink: UpstreamSink<T>): void {
    const fields = fieldsOf(frame, at, end);
    const outcome = numberIn(fields, 3);
    if (outcome === REDIRECT) {
      this.#refuseFor(this.#redirected(question, frame, fields, sink), question, sink);
    } else if (outcome === CONNECT) {
      this.#refuseFor(this.#connects(question, frame, fields, sink), question, sink);
    } else {
      const answer = withNumber(frame, { type: Type.lookupResponse, at, end }, 4, question.id);
      this.#deliver(question, answer, sink);
    }
  }

  /** Why it cannot be followed; null: it is. */
  #redirected(question: Question<T>, frame: Buffer, fields: readonly Field[], sink: UpstreamSink<T>): string | null {
    const broker = this.#brokers.learn(frame, fields, 1, numberIn(fields, 8) === 1n, sink);
    if (broker === null) return 'a broker redirects to no broker that could be reached';
    if (question.hops >= MOST_HOPS) return 'brokers redirect one to another without end';
    const { client, id, tenant } = question;
    if (tenant === null) return null;
    client.redirects.set(id, { node: broker.node, hops: question.hops + 1 });
    sink.again(tenant, repeated(question.frame, numberIn(fields, 5) === 1n));
    return null;
  }

  /** Why nobody can go there; null: it was answered. */
  #connects(question: Question<T>, frame: Buffer, fields: readonly Field[], sink: UpstreamSink<T>): string | null {
    const broker = this.#brokers.learn(frame, fields, 1, numberIn(fields, 8) === 1n, sink);
    if (broker === null) return this.#unusable;
    const urls = this.#brokers.urlsOf(broker);
    if (urls === undefined) {
      this.#blocked = { question, frame: Buffer.from(frame) };
      return null;
    }
    if (urls === null) return 'the sidecar has no listener for the broker of this topic';
    const answer = new MessageWriter()
      .text(1, urls.plain)
      .text(2, urls.secured)
      .number(3, CONNECT)
      .number(4, question.id)
      .flag(5, numberIn(fields, 5) === 1n)
      .flag(8, !this.#route.multiplexing.rewritesLookups);
    this.#deliver(question, frameOf(Type.lookupResponse, answer), sink);
    return null;
  }

  get #unusable(): string {
    const kind = this.#route.multiplexing.isUpstreamSecured ? 'TLS' : 'plaintext';
    return `broker ${this.#context.node} names no usable ${kind} address for this topic`;
  }

  #refuseFor(why: string | null, question: Question<T>, sink: UpstreamSink<T>): void {
    if (why === null) return;
    const answer = new MessageWriter()
      .number(3, FAILED)
      .number(4, question.id)
      .number(6, ServerError.serviceNotReady)
      .text(7, why);
    this.#deliver(question, frameOf(Type.lookupResponse, answer), sink);
  }

  #deliver({ tenant }: Question<T>, frame: Buffer, sink: UpstreamSink<T>): void {
    if (tenant === null) return;
    sink.deliver(tenant, frame, 0, frame.length);
    if (!this.owes(tenant)) sink.settled(tenant);
  }

  resume(sink: UpstreamSink<T>): null {
    const blocked = this.#blocked;
    this.#blocked = null;
    if (blocked === null) return null;
    const { at, end } = commandIn(blocked.frame, 0);
    this.#found(blocked.question, blocked.frame, at, end, sink);
    return null;
  }
}

/** The same lookup, to be sent to the broker that it was redirected to. */
function repeated(frame: Buffer, isAuthoritative: boolean): Buffer {
  const { at, end } = commandIn(frame, 0);
  const message = new MessageWriter();
  for (const field of fieldsOf(frame, at, end)) if (field.number !== 3) message.raw(frame, field.start, field.end);
  return frameOf(Type.lookup, message.flag(3, isAuthoritative));
}
