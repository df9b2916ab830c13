/**
 * Whose a producer's name is, of all clients of a route. A broker knows nothing of a parked producer, and would give its
 * name to whoever asks next; the client that has it would learn of that from its next message.
 */
import type { Producer } from './producer.ts';

export class ProducerNames {
  readonly #holders = new Map<string, Producer>();

  /** A broker has granted it. */
  hold(producer: Producer): void {
    this.#holders.set(producer.key, producer);
  }

  /** Its client has closed it, or is gone. */
  letGo(producer: Producer): void {
    if (this.#holders.get(producer.key) === producer) this.#holders.delete(producer.key);
  }

  /** Whether another one has this producer's name, and is parked: of all others the broker knows. */
  isTaken(producer: Producer, before: Producer | undefined): boolean {
    const holder = producer.name === '' ? undefined : this.#holders.get(producer.key);
    return holder !== undefined && holder !== before && holder.state === 'parked';
  }
}
