/**
 * A broker that asks a connection for a new credential (AUTH_CHALLENGE), and which of its clients is to answer. Brokers close
 * a connection that does not answer before they look again, so one that goes without an answer is followed by another one.
 */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { PulsarClientSession } from './client-session.ts';
import type { Challenge } from './renewals.ts';

export class Challenges<T> {
  /** Whom the broker's frame was passed to. */
  #asked: { readonly tenant: T; readonly frame: Buffer } | null = null;
  /** Whoever was asked has left. */
  #unanswered: Buffer | null = null;

  /** False: none of these can answer. */
  pass(
    frame: Buffer,
    renewers: Iterable<[T, PulsarClientSession]>,
    challenge: Challenge,
    sink: UpstreamSink<T>,
  ): boolean {
    for (const [tenant, { renewals }] of renewers) {
      if (!renewals.supported) continue;
      renewals.challenged(challenge);
      this.#asked = { tenant, frame };
      sink.deliver(tenant, frame, 0, frame.length);
      return true;
    }
    return false;
  }

  answered(): void {
    this.#asked = null;
  }

  left(tenant: T): void {
    if (this.#asked?.tenant !== tenant) return;
    this.#unanswered = this.#asked.frame;
    this.#asked = null;
  }

  /** What somebody else must be asked; null: nothing. */
  takeUnanswered(): Buffer | null {
    const unanswered = this.#unanswered;
    this.#unanswered = null;
    return unanswered;
  }
}
