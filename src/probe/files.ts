/** What the files of a configuration hold: whether the sidecar could start with them, and which certificates there are. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AdminFileError } from '../admin/admin-file-error.ts';
import { TokenFile } from '../admin/token-file.ts';
import { parseCredentials } from '../config/credentials.ts';
import { type EffectiveRoute, effectiveRoutes } from '../config/effective.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../core/clock.ts';
import { openAdminTls } from '../identity/admin-tls.ts';
import { FileWatch } from '../identity/file-watch.ts';
import { FileError } from '../identity/files.ts';
import type { RouteIdentities } from '../identity/identities.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { openIdentities } from '../identity/open.ts';
import type { LoadedCertificate } from '../identity/tls-certificates.ts';

export interface FileFault {
  /** Begins with the key of the configuration. */
  readonly message: string;
  /** It is not there at all, which may be right on another machine. */
  readonly missing: boolean;
}

export interface CertificateInUse extends LoadedCertificate {
  /** '' for the admin listener. */
  readonly route: string;
}

export interface FileReport {
  readonly faults: readonly FileFault[];
  readonly certificates: readonly CertificateInUse[];
}

export async function inspectFiles(config: Config): Promise<FileReport> {
  const watch = new FileWatch(systemClock);
  const faults: FileFault[] = [];
  const certificates: CertificateInUse[] = [];
  const note = async (route: string, opening: Promise<readonly LoadedCertificate[]>): Promise<void> => {
    try {
      certificates.push(...(await opening).map((certificate) => ({ route, ...certificate })));
    } catch (error) {
      faults.push(faultOf(error));
    }
  };
  try {
    for (const [index, route] of effectiveRoutes(config).entries()) {
      for (const part of partsOf(route)) {
        const opening = openRouteIdentities(part, index, watch);
        await note(
          route.name,
          opening.then((identities) => identities.certificates()),
        );
      }
      const { stateFile } = route;
      if (stateFile !== null) await note(route.name, mayBeWritten(`routes[${index}].stateFile`, stateFile));
    }
    const { tls, tokenFile } = config.admin;
    const told = (): void => undefined;
    if (tls !== undefined) {
      const opening = openAdminTls(tls, { clock: systemClock, watch, told });
      await note(
        '',
        opening.then((admin) => admin.certificates()),
      );
    }
    if (tokenFile !== undefined) {
      await note(
        '',
        TokenFile.open(tokenFile, { info: told, warn: told }).then(() => []),
      );
    }
  } finally {
    await watch.close();
  }
  return { faults, certificates };
}

/** Rejects with an IdentityError. @param users told the names of those who are somebody else for the brokers */
export function openRouteIdentities(
  route: EffectiveRoute,
  index: number,
  watch: FileWatch,
  users?: (names: readonly string[]) => void,
): Promise<RouteIdentities> {
  return openIdentities(route, {
    watch,
    key: `routes[${index}]`,
    parseUsers: (text, fileName, options) => {
      const file = parseCredentials(text, fileName, options);
      users?.(Object.keys(file.users).filter((name) => file.users[name]?.sasl !== undefined));
      return file;
    },
    told: () => undefined,
  });
}

/** A part of the route's identities at a time, so that a fault in one does not hide those of the others. */
function partsOf(route: EffectiveRoute): EffectiveRoute[] {
  const { upstream, listenTls, listenSasl } = route;
  const none = { ...upstream, tls: null, sasl: null, auth: null };
  const nothing = { ...route, upstream: none, listenTls: null, listenSasl: null };
  return [
    { ...nothing, upstream: { ...none, tls: upstream.tls } },
    { ...nothing, upstream: { ...none, sasl: upstream.sasl, auth: upstream.auth } },
    { ...nothing, listenTls },
    { ...nothing, listenSasl },
  ];
}

async function mayBeWritten(key: string, path: string): Promise<readonly []> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
    return [];
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'does not exist' : 'may not be written to by this process';
    throw new IdentityError(key, new FileError(folder, why));
  }
}

function faultOf(error: unknown): FileFault {
  if (!(error instanceof IdentityError) && !(error instanceof AdminFileError)) throw error;
  const { message } = error;
  return { message, missing: /\bdoes not exist$/.test(message) };
}
