/** Identities whose logins a test replaces. */
import { type Credential, Secret } from '../../src/contract/credential.ts';
import type { Identities, Login, LoginSource } from '../../src/core/login.ts';

export function passwordOf(username: string, password: string): Credential {
  return { mechanism: 'PLAIN', username, password: new Secret(password) };
}

/** @param credential null: nothing is shown; a promise: it is fetched */
export function loginOf(name: string, password: string, credential?: Login['credential']): Login {
  return {
    fingerprint: `${name}/${password}`,
    tls: null,
    credential: credential ?? (() => passwordOf(name === '' ? 'app' : name, password)),
  };
}

export class FakeIdentities implements Identities {
  readonly #sources = new Map<string, LoginSource>();
  readonly #listeners: ((name: string) => void)[] = [];

  /** @param passwords by name; '' is the route's own identity, whose user is `app` */
  constructor(passwords: Readonly<Record<string, string>>) {
    for (const [name, password] of Object.entries(passwords)) {
      this.#sources.set(name, { name, login: loginOf(name, password) });
    }
  }

  get first(): LoginSource {
    const [first] = this.#sources.values();
    if (first === undefined) throw new Error('nobody is left');
    return first;
  }

  get others(): Iterable<LoginSource> {
    return [...this.#sources.values()].slice(1);
  }

  find(name: string): LoginSource | undefined {
    return this.#sources.get(name);
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  replace(name: string, login: Login): void {
    this.#sources.set(name, { name, login });
    for (const listener of this.#listeners) listener(name);
  }

  rotate(name: string, password: string): void {
    this.replace(name, loginOf(name, password));
  }

  remove(name: string): void {
    this.#sources.delete(name);
    for (const listener of this.#listeners) listener(name);
  }
}
