/**
 * All identities of a route, made of the files that its configuration names. Files that change together make one new login:
 * nothing is told while any of them is still being written.
 */
import type { LocalUser, LocalUsers, PasswordMechanism } from '../contract/credential.ts';
import { ANONYMOUS_LOGIN, type Identities, type Login, type LoginSource } from '../core/login.ts';
import type { DialTls, ListenTls } from '../core/wire.ts';
import type { CredentialSource } from './credentials.ts';
import type { FileWatch, Watched } from './file-watch.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { FromFiles } from './from-files.ts';
import type { LoadedCertificate } from './tls-certificates.ts';
import type { ListenMaterial, UpstreamMaterial } from './tls-material.ts';
import type { Users } from './users.ts';

/** Files of which one changes all the time must not keep the others back for longer. */
const PATIENCE_MILLISECONDS = 3000;

/** What the identities of a route are made of. Null: there is nothing of the kind. */
export interface Groups {
  readonly tls: FromFiles<UpstreamMaterial> | null;
  /** The route's own. */
  readonly own: FromFiles<CredentialSource> | null;
  readonly listen: FromFiles<ListenMaterial> | null;
  readonly users: Users | null;
  readonly mechanisms: readonly PasswordMechanism[];
}

/** What secures the connections of all identities, and its fingerprint. */
interface Secured {
  readonly dial: DialTls | null;
  readonly print: string;
}

export interface IdentityHooks {
  /** Monotonic milliseconds. */
  now(): number;
  told(identity: string, change: 'read' | 'unreadable', detail: string): void;
}

export class RouteIdentities implements Identities, Watched {
  /** Who may authenticate to the sidecar; null: nobody need. */
  readonly users: LocalUsers | null;
  /** How clients are received, asked for each of them; undefined: in plaintext. */
  readonly listenTls: (() => ListenTls) | undefined;
  readonly #groups: Groups;
  readonly #hooks: IdentityHooks;
  readonly #watch: FileWatch;
  readonly #sources = new Map<string, LoginSource>();
  readonly #locals = new Map<string, LocalUser>();
  readonly #listeners: ((name: string) => void)[] = [];
  #listen: { readonly fingerprint: string; readonly tls: ListenTls } | null = null;
  /** Since when something has changed that is not told yet. */
  #changedSince: number | null = null;

  constructor(groups: Groups, hooks: IdentityHooks, watch: FileWatch) {
    const { listen, users, mechanisms } = groups;
    this.#groups = groups;
    this.#hooks = hooks;
    this.#watch = watch;
    this.users = users === null ? null : { mechanisms, find: (username) => this.#locals.get(username) };
    this.listenTls = listen === null ? undefined : () => this.#listen?.tls ?? listen.value.listen;
    this.#publish();
    if (Object.values(groups).some((group) => group !== null && 'look' in group)) watch.add(this);
  }

  /** The route's own, or the first user who is somebody for brokers, where the route itself is nobody. */
  get first(): LoginSource {
    const [other] = this.#groups.own === null ? this.#others() : [];
    return other ?? this.#sources.get('') ?? { name: '', login: ANONYMOUS_LOGIN };
  }

  /** Users who are somebody of their own for brokers. */
  get others(): Iterable<LoginSource> | undefined {
    return this.#groups.users === null ? undefined : this.#others();
  }

  *#others(): Generator<LoginSource> {
    for (const [name, { source }] of this.#groups.users ?? []) {
      const known = this.#sources.get(name);
      if (source !== null && known !== undefined) yield known;
    }
  }

  find(name: string): LoginSource | undefined {
    return this.#sources.get(name);
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Who shows this, over connections that are secured as those of the route are now. */
  loginOf(source: CredentialSource | null): Login {
    return loginOf(source, this.#secured());
  }

  /** Every certificate in use, with its expiry. */
  certificates(): readonly LoadedCertificate[] {
    const { tls, listen } = this.#groups;
    return [...(tls?.value.certificates ?? []), ...(listen?.value.certificates ?? [])];
  }

  /** Files are not looked at any more. */
  close(): void {
    this.#watch.remove(this);
  }

  /** Something was read that may make another login; told once all files have settled. */
  changed(): void {
    this.#changedSince ??= this.#hooks.now();
  }

  async look(): Promise<boolean> {
    const { tls, own, listen, users } = this.#groups;
    let soon = false;
    for (const group of [tls, own, listen, users]) if (group !== null && (await group.look())) soon = true;
    const since = this.#changedSince;
    if (since === null) return soon;
    if (soon && this.#hooks.now() - since < PATIENCE_MILLISECONDS) return true;
    this.#changedSince = null;
    for (const name of this.#publish()) for (const listener of this.#listeners) listener(name);
    return soon;
  }

  /** Takes over what was read. @returns the identities that have another login, or are gone */
  #publish(): string[] {
    const changed: string[] = [];
    const { own, users, listen } = this.#groups;
    const secured = this.#secured();
    if (this.#renew('', own?.value ?? null, secured)) changed.push('');
    for (const [name, { source, password }] of users ?? []) {
      const before = this.#locals.get(name);
      if (this.#renew(name, source ?? own?.value ?? null, secured)) changed.push(name);
      else if (before !== undefined && before.password.reveal() !== password.reveal()) {
        this.#hooks.told(name, 'read', 'the password of the user is another one now');
      }
      this.#locals.set(name, { identity: name, password });
    }
    for (const name of this.#locals.keys()) {
      if (users?.find(name) !== undefined) continue;
      this.#locals.delete(name);
      this.#sources.delete(name);
      changed.push(name);
    }
    if (listen !== null) this.#renewListen(listen.value);
    return changed;
  }

  /** Hashed once for all identities: the authorities of a system are many. */
  #secured(): Secured {
    const tls = this.#groups.tls?.value;
    return tls === undefined ? { dial: null, print: '' } : { dial: tls.dial, print: fingerprintOf(tls.material) };
  }

  /** @returns whether there was another login before */
  #renew(name: string, source: CredentialSource | null, secured: Secured): boolean {
    const before = this.#sources.get(name);
    const login = loginOf(source, secured);
    if (before?.login.fingerprint === login.fingerprint) return false;
    this.#sources.set(name, { name, login });
    return before !== undefined;
  }

  #renewListen({ listen, material }: ListenMaterial): void {
    const fingerprint = fingerprintOf(material);
    if (this.#listen?.fingerprint === fingerprint) return;
    const first = this.#listen === null;
    this.#listen = { fingerprint, tls: listen };
    if (!first) this.#hooks.told('', 'read', 'listenTls: clients are received with another certificate from now on');
  }
}

function loginOf(source: CredentialSource | null, { dial, print }: Secured): Login {
  if (dial === null && source === null) return ANONYMOUS_LOGIN;
  return {
    fingerprint: fingerprintOf([print, ...(source?.material ?? [])]),
    // What a session remembers of its peer belongs to one login, as its connections do.
    tls: dial === null ? null : { ...dial, sessions: new Map() },
    credential: () => source?.credential() ?? null,
  };
}
