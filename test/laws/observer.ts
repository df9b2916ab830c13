/** Hears what an upstream session says while it reads, and holds it to the contract's order. */
import type { UpstreamSink } from '../../src/contract/protocol.ts';
import type { CloseReason, ReleaseReason } from '../../src/contract/reasons.ts';
import type { Topology } from '../../src/contract/topology.ts';

export interface Fact {
  readonly fact: string;
  /** Bytes that had been delivered by then. */
  readonly at: number;
}

export class Observer implements UpstreamSink<string> {
  readonly facts: Fact[] = [];
  failure: { readonly reason: ReleaseReason; readonly detail: string } | null = null;
  /** What the greeting went on with. */
  readonly replies: Buffer[] = [];
  readonly #parts: Buffer[] = [];
  /** What was delivered in this read, as it was handed over: whoever got it may need it until the next one. */
  readonly #views: { readonly view: Buffer; readonly copy: Buffer }[] = [];
  #length = 0;

  #hear(fact: string): void {
    if (this.failure !== null) throw new Error(`told ${fact} after it failed for ${this.failure.reason}`);
    this.facts.push({ fact, at: this.#length });
  }

  deliver(_tenant: string, bytes: Buffer, start: number, end: number): void {
    if (this.failure !== null) throw new Error(`bytes after it failed for ${this.failure.reason}`);
    if (end <= start || end > bytes.length) throw new Error(`a delivery from ${start} to ${end} of ${bytes.length}`);
    const view = bytes.subarray(start, end);
    const copy = Buffer.from(view);
    this.#parts.push(copy);
    this.#views.push({ view, copy });
    this.#length += end - start;
  }

  reply(bytes: Buffer): void {
    this.replies.push(bytes);
  }
  ready(): void {
    this.#hear('ready');
  }
  worked(): void {
    this.#hear('worked');
  }
  settled(tenant: string): void {
    this.#hear(`settled ${tenant}`);
  }
  ponged(): void {
    this.#hear('ponged');
  }
  refreshed(): void {
    this.#hear('refreshed');
  }
  muted(milliseconds: number): void {
    this.#hear(`muted ${milliseconds}`);
  }
  prepared(tenant: string): void {
    this.#hear(`prepared ${tenant}`);
  }
  again(tenant: string, request: Buffer): void {
    this.#hear(`again ${tenant} ${request.toString('hex')}`);
  }
  close(tenant: string, reason: CloseReason): void {
    this.#hear(`close ${tenant} ${reason}`);
  }
  authenticate(): void {
    this.#hear('authenticate');
  }
  named(topology: Topology): void {
    this.#hear(`named ${JSON.stringify(topology)}`);
  }
  fail(reason: ReleaseReason, detail: string): void {
    this.#hear(`fail ${reason}`);
    this.failure = { reason, detail };
  }

  /** A read is over. */
  endRead(): void {
    const views = this.#views.splice(0);
    if (views.some(({ view, copy }) => !view.equals(copy)))
      throw new Error('bytes were changed after they were delivered');
  }

  get delivered(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** Where each of these facts was told. */
  all(fact: string): readonly number[] {
    return this.facts.filter((each) => each.fact.startsWith(fact)).map(({ at }) => at);
  }

  forget(): void {
    this.facts.length = 0;
    this.failure = null;
    this.#parts.length = 0;
    this.#length = 0;
  }
}
