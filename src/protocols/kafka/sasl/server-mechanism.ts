/** What every SASL mechanism is from a server's side: stages, each of which takes one token and changes nothing. */
import type { LocalUser } from '../../../contract/credential.ts';

export interface KnownUser {
  readonly name: string;
  readonly user: LocalUser;
}

export type ServerStep =
  | { readonly kind: 'challenge'; readonly token: Buffer; readonly next: ServerStage }
  | { readonly kind: 'accepted'; readonly token: Buffer; readonly who: KnownUser }
  /** `why` is for our log alone. */
  | { readonly kind: 'refused'; readonly why: string };

export interface ServerStage {
  /** May be asked again with the same token. */
  take(token: Buffer): ServerStep;
}

export function refused(why: string): ServerStep {
  return { kind: 'refused', why };
}
