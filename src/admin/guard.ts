/**
 * Refuses what a page in somebody's browser could ask for. The listener is bound to loopback, which the configuration
 * enforces, so whoever asks in earnest knows it by such a name.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { AdminError } from './admin-error.ts';
import { isSameOrigin, namesLoopback } from './loopback.ts';

/** What of a request is looked at; fastify's fits. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** @throws {AdminError} HOST_REFUSED, ORIGIN_REFUSED */
export function guard({ method, headers }: GuardedRequest): void {
  if (!namesLoopback(headers.host)) {
    throw new AdminError('HOST_REFUSED', 'the Host header does not name this host');
  }
  if (method === 'GET' || method === 'HEAD') return;
  if (!isSameOrigin(headers.origin, headers.host)) {
    throw new AdminError('ORIGIN_REFUSED', `a change was asked for by a page of ${headers.origin}`);
  }
}
