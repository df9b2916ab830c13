/**
 * What clients show, shown to brokers: those who show the same are one identity, as long as one of them is there. Its name
 * tells nothing of the secret. A credential that a client renews takes the place of the one before for connections that
 * are still to be opened; those that are open were shown it by the one who renewed it, so it makes no new login. No broker
 * asks for another one while none is connected: that a credential has come to its end is told to whoever can ask.
 */
import { type Credential, Secret } from '../contract/credential.ts';
import type { PassedCredentials } from '../contract/multiplexing.ts';
import type { Clock } from '../core/clock.ts';
import type { Identities, Login, LoginSource } from '../core/login.ts';
import { CredentialEnds } from './credential-ends.ts';
import type { CredentialSource } from './credentials.ts';
import { fingerprintOf, type Material } from './fingerprint.ts';
import { areOfOneBearer } from './token.ts';

/** Of the hash in the name: enough that nobody meets another one, and few enough for a table. */
const SHOWN_DIGITS = 16;
/** A client's own word for its method, if it can stand in a name. */
const METHOD = /^[A-Za-z0-9-]{1,20}$/;

/** The identities of the route itself, which say how connections are secured. */
export interface SecuredIdentities extends Identities {
  loginOf(source: CredentialSource): Login;
}

interface Held {
  readonly source: CredentialSource;
  /** Replaced as a whole when connections are secured otherwise. */
  login: LoginSource;
  shown: Credential;
  holders: number;
  /** It shows something else by now than what its name was made of. */
  isRenewed: boolean;
}

export class PassedIdentities implements Identities, PassedCredentials {
  readonly #base: SecuredIdentities;
  readonly #held = new Map<string, Held>();
  readonly #ends: CredentialEnds;
  readonly #listeners: ((name: string) => void)[] = [];
  readonly #endListeners: ((name: string) => void)[] = [];
  /** Those that nobody holds any more, until the present call is over. */
  readonly #left = new Set<string>();

  constructor(base: SecuredIdentities, clock: Clock) {
    this.#base = base;
    this.#ends = new CredentialEnds(clock, (name) => {
      for (const listener of this.#endListeners) listener(name);
    });
    base.onChange((name) => this.#baseChanged(name));
  }

  /** Nobody in particular: whether brokers can be reached is seen without a client. */
  get first(): LoginSource {
    return this.#base.first;
  }

  find(name: string): LoginSource | undefined {
    return this.#held.get(name)?.login ?? this.#base.find(name);
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  onEnded(listener: (name: string) => void): void {
    this.#endListeners.push(listener);
  }

  hold(credential: Credential): string {
    const material = materialOf(credential);
    const named = nameOf(credential, material);
    let name = named;
    // What was renewed may be void by now: whoever still shows it is another, for a broker to judge.
    for (let others = 2; this.#held.get(name)?.isRenewed === true; others += 1) name = `${named}-${others}`;
    const known = this.#held.get(name);
    if (known === undefined) this.#add(name, credential, material);
    else known.holders += 1;
    return name;
  }

  /** @throws {Error} if nobody holds it */
  letGo(identity: string): void {
    const held = this.#get(identity);
    held.holders -= 1;
    if (held.holders > 0) return;
    // Whoever lets go may be in the middle of something; and the next client may show the same.
    if (this.#left.size === 0) queueMicrotask(() => this.#forget());
    this.#left.add(identity);
  }

  /**
   * Where others hold it too, nothing is taken over that may be somebody else's: a broker that asked has checked it for
   * one connection, and those that are still to be opened would carry what the others send.
   *
   * @throws {Error} if nobody holds it
   */
  renew(identity: string, credential: Credential): void {
    const held = this.#get(identity);
    if (held.holders > 1 && !isOfTheSame(held.shown, credential)) return;
    held.shown = credential;
    held.isRenewed = fingerprintOf(materialOf(credential)) !== fingerprintOf(held.source.material);
    this.#ends.watch(identity, credential);
  }

  #get(identity: string): Held {
    const held = this.#held.get(identity);
    if (held === undefined || held.holders === 0) throw new Error('nobody holds this identity');
    return held;
  }

  #add(name: string, credential: Credential, material: Material): void {
    const source: CredentialSource = { material, credential: () => held.shown };
    const login = { name, login: this.#base.loginOf(source) };
    const held: Held = { source, login, shown: credential, holders: 1, isRenewed: false };
    this.#held.set(name, held);
    this.#ends.watch(name, credential);
  }

  #forget(): void {
    const left = [...this.#left].filter((name) => this.#held.get(name)?.holders === 0);
    this.#left.clear();
    for (const name of left) {
      this.#held.delete(name);
      this.#ends.forget(name);
    }
    for (const name of left) this.#tell(name);
  }

  /** The route's own login is another one: with the same files connections of all others are secured. */
  #baseChanged(name: string): void {
    this.#tell(name);
    if (name !== '') return;
    for (const [passed, held] of this.#held) {
      const login = this.#base.loginOf(held.source);
      if (login.fingerprint === held.login.login.fingerprint) continue;
      held.login = { name: passed, login };
      this.#tell(passed);
    }
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

function nameOf(credential: Credential, material: Material): string {
  const method = 'method' in credential && METHOD.test(credential.method) ? credential.method : 'passed';
  return `${method}-${fingerprintOf(material).slice(0, SHOWN_DIGITS)}`;
}

/** As far as a look tells. */
function isOfTheSame(shown: Credential, credential: Credential): boolean {
  if (shown.mechanism !== 'PASSED' || credential.mechanism !== 'PASSED') return false;
  return shown.method === credential.method && areOfOneBearer(shown.data, credential.data);
}

function materialOf(credential: Credential): Material {
  return Object.entries(credential).flatMap(([key, value]: [string, unknown]) => [
    key,
    value instanceof Secret ? value.reveal() : JSON.stringify(value),
  ]);
}
