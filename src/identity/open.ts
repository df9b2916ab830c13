/** From the configuration of a route to its identities. */
import { type CredentialParts, credentialFrom, credentialFromAuth } from './credentials.ts';
import type { FileWatch } from './file-watch.ts';
import type { Files } from './files.ts';
import { FromFiles } from './from-files.ts';
import { RouteIdentities } from './identities.ts';
import { IdentityError, keyOfFile } from './identity-error.ts';
import type { IdentityOptions, UsersFile } from './options.ts';
import { type Contents, listenTls, tlsFiles, upstreamTls } from './tls-material.ts';
import { Users } from './users.ts';

export interface IdentityParts extends Partial<Omit<CredentialParts, 'clock'>> {
  readonly watch: FileWatch;
  /** Of the route in the configuration, for messages: `routes[0]`. */
  readonly key: string;
  /** @throws {Error} whose message names the file and holds no secret */
  parseUsers(text: string, fileName: string, options: { readonly passwordsRequired: boolean }): UsersFile;
  /** A change that the core does not tell of: it tells of logins that it was given. */
  told(identity: string, change: 'read' | 'unreadable', detail: string): void;
}

/**
 * Reads everything that the identities of a route are made of, and goes on looking after it until they are closed.
 * Rejects with an IdentityError if something cannot be read or is of no use.
 */
export async function openIdentities(options: IdentityOptions, parts: IdentityParts): Promise<RouteIdentities> {
  const { key, watch, told } = parts;
  const { clock } = watch;
  const { upstream, listenSasl } = options;
  const made: CredentialParts = {
    clock,
    random: parts.random ?? Math.random,
    load: parts.load ?? ((name) => import(name)),
  };
  // Where certificates alone say who clients are, users need none.
  const passwordsRequired = listenSasl?.mechanisms.length !== 0;
  let identities: RouteIdentities | undefined;
  const changed = (): void => identities?.changed();

  /** @param part below the route's key */
  async function group<T, O extends object>(
    part: string,
    of: O | null,
    make: (options: O, files: Files) => Promise<T>,
  ): Promise<FromFiles<T> | null> {
    if (of === null) return null;
    return await FromFiles.open<T>({
      clock,
      make: (files) => make(of, files),
      changed: (_value, recovered) => {
        if (recovered) told('', 'read', `${part} is in order again`);
        changed();
      },
      unusable: (error) => told('', 'unreadable', `${part}: ${error.message}`),
    }).catch((error: unknown) => {
      throw new IdentityError(keyOfFile(`${key}.${part}`, of, error), error);
    });
  }

  const groups = {
    tls: await group('upstream.tls', upstream.tls, async (tls, files) =>
      upstreamTls(tls, await contentsOf(tlsFiles(tls), files)),
    ),
    own:
      (await group('upstream.sasl', upstream.sasl, (sasl, files) => credentialFrom(sasl, files, made))) ??
      (await group('upstream.auth', upstream.auth ?? null, (auth, files) => credentialFromAuth(auth, files, made))),
    listen: await group('listenTls', options.listenTls, async (tls, files) =>
      listenTls(tls, await contentsOf(tlsFiles(tls), files)),
    ),
    users:
      listenSasl === null
        ? null
        : await Users.open(listenSasl.credentialsFile, {
            ...made,
            key: `${key}.listenSasl.credentialsFile`,
            parseUsers: (text, fileName) => parts.parseUsers(text, fileName, { passwordsRequired }),
            told,
            changed,
          }),
    mechanisms: listenSasl?.mechanisms ?? [],
  };
  identities = new RouteIdentities(groups, { now: () => clock.now(), told }, watch);
  return identities;
}

/** What those files hold, read now. Rejects with a FileError. */
export async function contentsOf(paths: readonly string[], files: Files): Promise<Contents> {
  const contents = new Map<string, Buffer>();
  for (const path of paths) contents.set(path, await files.read(path));
  return (path) => contents.get(path) ?? Buffer.alloc(0);
}
