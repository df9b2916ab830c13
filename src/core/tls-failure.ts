/**
 * What went wrong on a secured stream, as `CODE` for the system's faults and `CODE: words` for those of TLS, so that the
 * code is stable and the words say which name or authority it was.
 */

/** What the other side wrote into a certificate may come along: no control characters, and not without end. */
const MAX_WORDS = 300;

/** About its command line, which is not for our users. */
const NODES_ADVICE = /; if the root CA is installed.*/;

const HANDSHAKE_CLOSED = 'ERR_TLS_HANDSHAKE_CLOSED: the connection was closed during the handshake';

interface TlsError extends Error {
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
}

export function failureDetail(error: TlsError): string {
  const { code, reason, message } = error;
  if (code === undefined) return printable(message);
  // Faults of the system are known by their code alone, as on any other stream.
  if (/^E[A-Z]+$/.test(code) && code !== 'EPROTO') return code;
  return printable(`${code}: ${reason ?? message.replace(NODES_ADVICE, '')}`);
}

/** The same of a stream whose handshake was not done: then it was the handshake that failed. */
export function handshakeDetail(error: TlsError): string {
  const detail = failureDetail(error);
  return detail === 'ECONNRESET' || detail === 'EPIPE' ? HANDSHAKE_CLOSED : detail;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_WORDS);
}
