/** Refuses what a request may not do, before it is read any further. */
import type { IncomingHttpHeaders } from 'node:http';
import { AdminError } from './admin-error.ts';
import { isLoopback, isSameOrigin, namesLoopback } from './loopback.ts';

/** What of a request is looked at; fastify's fits. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * @param onLoopback the listener is bound to loopback, so that whoever asks must know it by such a name
 * @returns what refuses a request by throwing an AdminError
 */
export function guardFor(onLoopback: boolean): (request: GuardedRequest) => void {
  return ({ method, headers, socket }) => {
    if (onLoopback && !namesLoopback(headers.host)) {
      throw new AdminError('HOST_REFUSED', 'the Host header does not name this host');
    }
    if (method === 'GET' || method === 'HEAD') return;
    if (!isLoopback(socket.remoteAddress ?? '') || !namesLoopback(headers.host)) {
      throw new AdminError('CHANGE_REFUSED', 'a change was asked for from another host');
    }
    if (!isSameOrigin(headers.origin, headers.host)) {
      throw new AdminError('ORIGIN_REFUSED', `a change was asked for by a page of ${headers.origin}`);
    }
  };
}
