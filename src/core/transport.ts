/** The socket of a connection to a broker: what is written to it, and how it is let go. */
import type { Clock, Timer } from './clock.ts';
import { BROKER_FAREWELL_MILLISECONDS, sayFarewell } from './farewell.ts';
import type { Wire } from './wire.ts';

export class Transport {
  wire: Wire | null = null;
  readonly #clock: Clock;
  #farewell: Timer | null = null;
  #unsentSince: number | null = null;
  /** What may stand between two requests only, and came in the middle of one. */
  readonly #held: Buffer[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get hasSocket(): boolean {
    return this.wire !== null;
  }
  /** The broker has not taken all that was written. */
  get pending(): boolean {
    return this.wire?.pending ?? false;
  }

  /** False: not all of it left; `flushed` follows. */
  send(bytes: Buffer): boolean {
    const taken = this.wire?.write(bytes) ?? true;
    if (!taken) this.#unsentSince ??= this.#clock.now();
    return taken;
  }

  get holdsBack(): boolean {
    return this.#held.length > 0;
  }

  /** Something of ours; in the middle of a tenant's request it waits for the end of that (`sendHeld`). */
  reply(bytes: Buffer, tenants: { readonly sending: boolean } | null): void {
    if (tenants?.sending === true) this.#held.push(bytes);
    else this.send(bytes);
  }

  /** A request has ended, and none has begun. */
  sendHeld(): void {
    if (this.#held.length > 0) for (const bytes of this.#held.splice(0)) this.send(bytes);
  }

  flushed(): void {
    this.#unsentSince = null;
  }

  /** For how long the broker has not taken what was written; 0 if it has. */
  stalledMilliseconds(now: number): number {
    return this.#unsentSince === null ? 0 : now - this.#unsentSince;
  }

  /** Politely with a FIN behind what was written, or at once. */
  letGo(atOnce: boolean): void {
    const { wire } = this;
    if (wire === null) return;
    if (atOnce) {
      wire.destroy();
      return;
    }
    wire.resume();
    this.#farewell = sayFarewell(wire, this.#clock, BROKER_FAREWELL_MILLISECONDS);
  }

  gone(): void {
    this.#farewell?.cancel();
    this.wire = null;
  }
}
