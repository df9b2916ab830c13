/** What brokers said of themselves, so that the next client's CONNECT is answered without asking again. */
import type { Connected } from './connect.ts';

/** What was said is of use to those who ask in no later version, for brokers answer in the version of who asks. */
export class LearntBrokers {
  /** By identity, then by node. */
  readonly #learnt = new Map<string, Map<string, Connected>>();

  learn(identity: string, node: string, said: Connected): void {
    let ofIdentity = this.#learnt.get(identity);
    if (ofIdentity === undefined) {
      ofIdentity = new Map();
      this.#learnt.set(identity, ofIdentity);
    }
    const before = ofIdentity.get(node);
    ofIdentity.set(node, before === undefined ? said : later(before, said));
  }

  /** What a client that speaks this version would be told; null: nobody has asked so far. */
  find(identity: string, node: string, version: number): Connected | null {
    const said = this.#learnt.get(identity)?.get(node);
    if (said === undefined) return null;
    // An answer in a lower version than was asked for is the broker's newest, and holds for everybody.
    if (version > said.askedVersion && said.protocolVersion === said.askedVersion) return null;
    return { ...said, askedVersion: version, protocolVersion: Math.min(version, said.protocolVersion) };
  }

  /** Nobody of that identity is left. */
  forget(identity: string): void {
    this.#learnt.delete(identity);
  }
}

/**
 * What is known after both. A narrower question takes the place of a broader one, and not its breadth, or clients of newer
 * versions could be told nothing as long as the connection that asked for them stays.
 */
function later(before: Connected, said: Connected): Connected {
  const { askedVersion } = before;
  if (said.askedVersion >= askedVersion) return said;
  const isNewest = said.protocolVersion < said.askedVersion; // of that broker, whoever asks
  const protocolVersion = isNewest ? said.protocolVersion : Math.max(before.protocolVersion, said.protocolVersion);
  return { ...said, askedVersion, protocolVersion };
}
