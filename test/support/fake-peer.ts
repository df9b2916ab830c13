import type { FakeWire } from './fake-wire.ts';

/** What travels from the product to its peer. */
export type Outbound =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'fin' }
  | { readonly kind: 'rst' }
  | { readonly kind: 'gone' };

/** The other end: an application or a broker, played by a test. */
export class FakePeer {
  readonly wire: FakeWire;
  /** Bytes that the kernel still takes from the product; `clog` and `unclog` change it. */
  room = Number.POSITIVE_INFINITY;
  /** Nothing is read here any more: what the product writes brings a RST. */
  gone = false;
  /** The product's FIN arrived. */
  ended = false;
  /** The product's RST arrived. */
  wasReset = false;
  /** Never connected: nobody listens there. */
  refused = false;
  onBytes: (bytes: Buffer) => void = () => undefined;
  onEnd: () => void = () => undefined;
  #finSent = false;

  constructor(wire: FakeWire) {
    this.wire = wire;
  }

  /** Nothing more comes from the product, in whatever way. */
  get over(): boolean {
    return this.ended || this.wasReset || this.refused;
  }

  send(bytes: string | Buffer): void {
    if (this.#finSent || this.gone) return;
    this.wire.arrive({ kind: 'bytes', bytes: Buffer.from(bytes) });
  }

  fin(): void {
    if (this.#finSent || this.gone) return;
    this.#finSent = true;
    this.wire.arrive({ kind: 'fin' });
  }

  /** FIN, and nothing is read any more. */
  close(): void {
    this.fin();
    this.gone = true;
  }

  rst(): void {
    if (this.gone && this.#finSent) return;
    this.#finSent = true;
    this.gone = true;
    this.wire.arrive({ kind: 'rst' });
  }

  /** The kernel takes so many bytes more and then no others. */
  clog(room: number): void {
    this.room = room;
  }

  unclog(room = Number.POSITIVE_INFINITY): void {
    this.room += room;
    this.wire.takeUnsent();
  }

  take(item: Outbound): void {
    if (item.kind === 'bytes') {
      if (this.gone) this.wire.arrive({ kind: 'rst' });
      else this.onBytes(item.bytes);
      return;
    }
    if (item.kind === 'rst') this.wasReset = true;
    if (item.kind !== 'fin') this.gone = true;
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
  }
}
