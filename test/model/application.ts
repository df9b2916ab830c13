/** An application of the model: what it sent, and what it must see. */
import type { FakeApp } from '../support/fake-app.ts';
import { KINDS } from '../support/line-client-session.ts';

interface Sent {
  readonly id: string;
  readonly word: string;
  readonly answerBytes: number;
  readonly time: number;
}

export class Application {
  readonly app: FakeApp;
  /** The product's name for it. */
  readonly client: string;
  /** Who it is; '' where nobody is anybody. */
  readonly user: string;
  readonly sent: Sent[] = [];
  /** Bytes of requests that it has not sent yet. */
  unsent: Buffer = Buffer.alloc(0);
  clogged = false;
  hasEnded = false;
  hasReset = false;
  hasSentGarbage = false;
  #checked = 0;

  constructor(app: FakeApp, client: string, user: string) {
    this.app = app;
    this.client = client;
    this.user = user;
  }

  get number(): number {
    return this.app.number;
  }
  get isOpen(): boolean {
    return this.app.isOpen && !this.hasReset;
  }
  get maySend(): boolean {
    return this.isOpen && !this.hasEnded && !this.hasSentGarbage;
  }

  /** A new request behind those that are not sent. */
  write(word: string, keys: readonly (readonly [string, string])[], bodyBytes: number, time: number): void {
    const next = `a${this.number}-${this.sent.length + 1}`;
    const { id, bytes } = this.app.frame(word, { keys, body: Buffer.alloc(bodyBytes, next) });
    this.sent.push({ id, word, answerBytes: Number(keys.find(([key]) => key === 'answer')?.[1] ?? 0), time });
    this.unsent = Buffer.concat([this.unsent, bytes]);
  }

  /** When it sent the oldest request without an answer. */
  get unansweredSince(): number {
    return this.answerable[this.app.answers.length]?.time ?? Number.POSITIVE_INFINITY;
  }

  flush(bytes: number): void {
    const part = this.unsent.subarray(0, bytes);
    this.unsent = this.unsent.subarray(part.length);
    this.app.peer.send(part);
  }

  get answerable(): Sent[] {
    return this.sent.filter(({ word }) => KINDS[word]?.silent !== true);
  }

  /** What is wrong with the answers that came since this was asked last. */
  wrongAnswer(): string | undefined {
    const { answers } = this.app;
    for (; this.#checked < answers.length; this.#checked += 1) {
      const answer = answers[this.#checked];
      const request = this.answerable[this.#checked];
      if (answer === undefined) continue;
      const { id } = answer.frame;
      if (request?.id !== id) return `application ${this.number} got ${id} instead of ${request?.id ?? 'nothing'}`;
      if (request.word !== 'meta' && !answer.body.equals(Buffer.alloc(request.answerBytes, id)))
        return `the answer to ${id} was changed`;
    }
    return undefined;
  }
}
