/** What connections are dialled for. */
import { NEWEST_PROTOCOL } from './connect.ts';

export const LOOKUP = 'lookup';
const OWN = 'own:';
const BULK = 'bulk:';
const SHARED = 'shared:';

/** One client's own. */
export function ownPurposeOf(client: number): string {
  return `${OWN}${client}`;
}

/** One client's producers, when they are too busy to share. */
export function bulkPurposeOf(client: number): string {
  return `${BULK}${client}`;
}

export function isBulk(purpose: string): boolean {
  return purpose.startsWith(BULK);
}

/** The number of the client whose own it is; null: it is nobody's own. */
export function ownerOf(purpose: string): number | null {
  if (isBulk(purpose)) return Number(purpose.slice(BULK.length));
  return purpose.startsWith(OWN) ? Number(purpose.slice(OWN.length)) : null;
}

/** For producers of all clients that speak as this one does. */
export function sharedPurposeOf(connect: SharedSpeech | null): string {
  const { protocolVersion, features } = connect ?? { protocolVersion: 0, features: 0 };
  return `${SHARED}${Math.min(protocolVersion, NEWEST_PROTOCOL)}:${features}`;
}

/** Where the producers of one client are, all of them: on connections that others use, or on one of its own. */
export class ProducerPlaces {
  readonly #bulk: string;
  #shared = sharedPurposeOf(null);

  constructor(client: number) {
    this.#bulk = bulkPurposeOf(client);
  }

  speaksAs(speech: SharedSpeech): void {
    this.#shared = sharedPurposeOf(speech);
  }

  purpose(isIsolated: boolean): string {
    return isIsolated ? this.#bulk : this.#shared;
  }
}

export interface SharedSpeech {
  readonly protocolVersion: number;
  readonly features: number;
}

/** How those speak who share it; null: it is not for producers of several. */
export function speechOf(purpose: string): SharedSpeech | null {
  if (!purpose.startsWith(SHARED)) return null;
  const [protocolVersion = 0, features = 0] = purpose.slice(SHARED.length).split(':').map(Number);
  return { protocolVersion, features };
}
