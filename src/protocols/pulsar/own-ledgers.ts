/** What a client has open on connections of its own, on all of them. */
import type { Registration } from '../../contract/multiplexing.ts';
import type { PinReason } from '../../contract/reasons.ts';
import type { OwnLedger } from './own-ledger.ts';

export class OwnLedgers {
  readonly #ledgers = new Set<OwnLedger>();

  add(ledger: OwnLedger): void {
    this.#ledgers.add(ledger);
  }

  delete(ledger: OwnLedger): void {
    this.#ledgers.delete(ledger);
  }

  /** Why one of its connections is kept, if one is. */
  get keptBy(): PinReason | undefined {
    for (const { keptBy } of this.#ledgers) if (keptBy !== undefined) return keptBy;
    return undefined;
  }

  /** A broker takes messages for this producer. */
  hasProducer(id: bigint): boolean {
    for (const ledger of this.#ledgers) if (ledger.hasProducer(id)) return true;
    return false;
  }

  /** @param purpose of its own connections */
  registrations(purpose: string): Registration[] {
    return [...this.#ledgers].flatMap((ledger) => ledger.registrations(purpose));
  }
}
