/**
 * Who may ask what. On loopback a page in somebody's browser can reach the listener too, so whoever asks in earnest
 * must know it by a name of loopback; anywhere else every request needs the token, reads as well: they show brokers and
 * addresses of clients.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { AdminError } from './admin-error.ts';
import type { FailedAttempts } from './failed-attempts.ts';
import { comesFromAnotherSite, isSameOrigin, namesLoopback } from './loopback.ts';
import type { TokenFile } from './token-file.ts';

/** What of a request is looked at; fastify's fits. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The address of whoever asks. */
  readonly ip: string;
}

export interface GuardOptions {
  /** It listens beyond loopback. */
  readonly exposed: boolean;
  readonly scheme: 'http' | 'https';
  readonly token: TokenFile | null;
  readonly attempts: FailedAttempts;
}

export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws {AdminError} HOST_REFUSED, ORIGIN_REFUSED, TOKEN_MISSING, TOKEN_WRONG, TOO_MANY_ATTEMPTS */
  async check({ method, headers, ip }: GuardedRequest): Promise<void> {
    const { exposed, scheme, token, attempts } = this.#options;
    if (!exposed && !namesLoopback(headers.host)) {
      throw new AdminError('HOST_REFUSED', 'the Host header does not name this host');
    }
    // Nothing answers OPTIONS, and no answer allows a page of another site anything.
    const changes = !['GET', 'HEAD', 'OPTIONS'].includes(method);
    if (changes && !isSameOrigin(headers.origin, `${scheme}://${headers.host}`)) {
      throw new AdminError('ORIGIN_REFUSED', 'a change was asked for by a page of another site');
    }
    if (changes && comesFromAnotherSite(headers['sec-fetch-site'])) {
      throw new AdminError('ORIGIN_REFUSED', 'a change was asked for by a page of another site');
    }
    if (token === null || !(changes || exposed)) return;
    const shown = shownToken(headers.authorization);
    if (await token.accepts(shown ?? '')) return;
    await attempts.refuse(shown === undefined ? 'TOKEN_MISSING' : 'TOKEN_WRONG', ip);
  }
}

/** RFC 6750, 2.1: the scheme in any case, spaces, and the token. */
function shownToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1];
}
