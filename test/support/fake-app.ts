/** An application that speaks the line protocol over one connection. */
import type { FakeNetwork } from './fake-network.ts';
import type { FakePeer } from './fake-peer.ts';
import { type Frame, FrameReader, formatFrame } from './line-frames.ts';

export interface RequestOptions {
  readonly body?: string | Buffer;
  readonly keys?: Iterable<readonly [string, string]>;
}

export class FakeApp {
  readonly number: number;
  readonly peer: FakePeer;
  readonly answers: { readonly frame: Frame; readonly body: Buffer }[] = [];
  readonly #network: FakeNetwork;
  readonly #reader = new FrameReader();
  #next = 1;

  constructor(number: number, peer: FakePeer, network: FakeNetwork) {
    this.number = number;
    this.peer = peer;
    this.#network = network;
    peer.onBytes = (bytes) => this.answers.push(...this.#reader.push(bytes));
  }

  /** The next request, and its id. */
  frame(word: string, { body, keys }: RequestOptions = {}): { readonly id: string; readonly bytes: Buffer } {
    const id = `a${this.number}-${this.#next}`;
    this.#next += 1;
    return { id, bytes: formatFrame(word, id, keys, body) };
  }

  /** Sends one request, and delivers everything that follows from it. Answers its id. */
  send(word: string, options: RequestOptions = {}): string {
    const { id, bytes } = this.frame(word, options);
    this.write(bytes);
    return id;
  }

  write(bytes: string | Buffer): void {
    this.peer.send(bytes);
    this.#network.pump();
  }

  fin(): void {
    this.peer.fin();
    this.#network.pump();
  }

  reset(): void {
    this.peer.rst();
    this.#network.pump();
  }

  /** Ids of the answers, in order. */
  get ids(): string[] {
    return this.answers.map(({ frame }) => frame.id);
  }
  /** Bytes of an answer that is not complete. */
  get partial(): number {
    return this.#reader.partial;
  }
  get isOpen(): boolean {
    return !this.peer.over;
  }
  get wasReset(): boolean {
    return this.peer.wasReset;
  }
  /** A FIN came, and no RST. */
  get wasEnded(): boolean {
    return this.peer.ended && !this.peer.wasReset;
  }
}
