/**
 * The users of the sidecar itself: who they are stands in one file, what they show in others. A user whose files cannot be
 * read stays as it was, and the others follow their own.
 */
import { randomBytes } from 'node:crypto';
import { Secret } from '../contract/credential.ts';
import { type CredentialParts, type CredentialSource, credentialFrom, secretOf } from './credentials.ts';
import type { Watched } from './file-watch.ts';
import type { Files } from './files.ts';
import { FromFiles } from './from-files.ts';
import { IdentityError, keyOfFile } from './identity-error.ts';
import type { UserOptions, UsersFile } from './options.ts';

export interface User {
  readonly password: Secret;
  /** Null: the route's own. */
  readonly source: CredentialSource | null;
}

export interface UsersParts extends CredentialParts {
  /** Of `listenSasl.credentialsFile`, for messages. */
  readonly key: string;
  /** @throws {Error} whose message names the file and holds no secret */
  parseUsers(text: string, fileName: string): UsersFile;
  /** Something of the users is another now. */
  changed(): void;
  /** @param name '' if the file of all of them is meant */
  told(name: string, change: 'read' | 'unreadable', detail: string): void;
}

export class Users implements Watched {
  readonly #parts: UsersParts;
  readonly #file: FromFiles<ReadonlyMap<string, UserOptions>>;
  readonly #users = new Map<string, FromFiles<User>>();
  /** Those whose part of the file has changed and was not taken over yet. */
  readonly #stale = new Set<string>();
  /** What was told of those that could not be taken over. */
  readonly #troubles = new Map<string, string>();

  /** Rejects with an IdentityError. */
  static async open(credentialsFile: string, parts: UsersParts): Promise<Users> {
    const opened: { users?: Users } = {};
    const file = await FromFiles.open<ReadonlyMap<string, UserOptions>>({
      clock: parts.clock,
      make: async (files) => {
        const { users } = parts.parseUsers(await files.text(credentialsFile), credentialsFile);
        return new Map(Object.entries(users));
      },
      changed: (users, recovered) => {
        if (opened.users !== undefined) opened.users.#changed(users, recovered);
      },
      unusable: (error) => parts.told('', 'unreadable', `listenSasl.credentialsFile: ${error.message}`),
    }).catch((error: unknown) => {
      throw new IdentityError(parts.key, error);
    });
    const open = new Users(parts, file);
    opened.users = open;
    for (const [name, options] of file.value) {
      try {
        open.#users.set(name, await open.#open(name, options));
      } catch (error) {
        throw new IdentityError(`${credentialsFile} ${keyOfFile(`users.${name}`, options, error)}`, error);
      }
    }
    return open;
  }

  private constructor(parts: UsersParts, file: FromFiles<ReadonlyMap<string, UserOptions>>) {
    this.#parts = parts;
    this.#file = file;
  }

  /** In the order of the file, those that were added later behind. */
  *[Symbol.iterator](): Generator<readonly [name: string, user: User]> {
    for (const [name, user] of this.#users) yield [name, user.value];
  }

  find(name: string): User | undefined {
    return this.#users.get(name)?.value;
  }

  async look(): Promise<boolean> {
    let soon = await this.#file.look();
    for (const name of [...this.#stale]) await this.#takeOver(name);
    for (const user of [...this.#users.values()]) if (await user.look()) soon = true;
    return soon;
  }

  #changed(users: ReadonlyMap<string, UserOptions>, recovered: boolean): void {
    for (const name of [...this.#users.keys(), ...this.#stale]) {
      if (users.has(name)) continue;
      this.#stale.delete(name);
      this.#troubles.delete(name);
      if (this.#users.delete(name)) this.#parts.told(name, 'read', 'the user was removed');
    }
    for (const name of users.keys()) this.#stale.add(name);
    if (recovered) this.#parts.told('', 'read', 'listenSasl.credentialsFile is in order again');
    this.#parts.changed();
  }

  async #takeOver(name: string): Promise<void> {
    const options = this.#file.value.get(name);
    if (options === undefined) return;
    try {
      const user = await this.#open(name, options);
      if (!this.#users.has(name)) this.#parts.told(name, 'read', 'the user was added');
      this.#users.set(name, user);
      this.#stale.delete(name);
      this.#troubles.delete(name);
      this.#parts.changed();
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (this.#troubles.get(name) === trouble) return;
      this.#troubles.set(name, trouble);
      this.#parts.told(name, 'unreadable', trouble);
    }
  }

  #open(name: string, options: UserOptions): Promise<FromFiles<User>> {
    const { clock, told, changed } = this.#parts;
    return FromFiles.open({
      clock,
      make: (files) => userFrom(options, files, this.#parts),
      changed: (_user, recovered) => {
        if (recovered) told(name, 'read', 'its files are in order again');
        changed();
      },
      unusable: (error) => told(name, 'unreadable', error.message),
    });
  }
}

async function userFrom(options: UserOptions, files: Files, parts: CredentialParts): Promise<User> {
  const password = await secretOf(options.password, options.passwordFile, files);
  return {
    // Without one nobody gets in by a password: only a certificate says who it is.
    password: password ?? new Secret(randomBytes(32).toString('hex')),
    source: options.sasl === undefined ? null : await credentialFrom(options.sasl, files, parts),
  };
}
