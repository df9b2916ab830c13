/** One request to the admin listener of a sidecar, and in words why there was no answer. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CommandError, type CommandErrorCode } from './command-error.ts';

const TIMEOUT_MILLISECONDS = 10_000;

export interface Access {
  readonly base: URL;
  readonly token: string | undefined;
  /** Authorities in PEM instead of those that Node.js brings. */
  readonly ca: string | undefined;
}

/** @throws {CommandError} SIDECAR_UNREACHABLE, SIDECAR_UNTRUSTED */
export async function ask(
  { base, token, ca }: Access,
  url: URL,
  method: string,
  body: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const options = { method, headers, signal, agent: false };
  const secure = url.protocol === 'https:';
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = secure
        ? httpsRequest(url, ca === undefined ? options : { ...options, ca }, resolve)
        : httpRequest(url, options, resolve);
      request.on('error', reject).end(body);
    });
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode ?? 0, text };
  } catch (error) {
    const [code, message] = signal.aborted ? late(base) : explained(error, base, secure);
    throw new CommandError(code, message, { cause: error });
  }
}

type Explained = readonly [code: CommandErrorCode, message: string];

function late({ origin }: URL): Explained {
  return unreachable(origin, `no answer within ${TIMEOUT_MILLISECONDS / 1000} s`);
}

function explained(error: unknown, { origin, hostname }: URL, secure: boolean): Explained {
  const why = reasonOf(error);
  const cause = CERTIFICATE_FAULTS[why];
  if (cause !== undefined) {
    const what = cause.replace('HOST', hostname);
    return ['SIDECAR_UNTRUSTED', `the certificate of ${origin} is not trusted (${why}): ${what}`];
  }
  if (secure && (why === 'EPROTO' || why.startsWith('ERR_SSL_'))) {
    return [
      'SIDECAR_UNREACHABLE',
      `${origin} does not speak TLS as we do (${why}): if it has no admin.tls, write http://`,
    ];
  }
  if (!secure && (why === 'ECONNRESET' || why.startsWith('HPE_'))) {
    return [
      'SIDECAR_UNREACHABLE',
      `${origin} ends plaintext connections (${why}): if it has admin.tls, write https://`,
    ];
  }
  return unreachable(origin, why);
}

const SIGN = 'name the file of whoever has signed it with --admin-ca-file FILE';

/** Codes of OpenSSL and Node.js (tls, X509 certificate error codes), and what to do. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: SIGN,
  SELF_SIGNED_CERT_IN_CHAIN: SIGN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: SIGN,
  UNABLE_TO_GET_ISSUER_CERT: SIGN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: SIGN,
  CERT_SIGNATURE_FAILURE: SIGN,
  CERT_UNTRUSTED: SIGN,
  INVALID_CA: SIGN,
  CERT_HAS_EXPIRED: 'it has expired, give the sidecar a new one',
  CERT_NOT_YET_VALID: 'it is not valid yet, look at the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is not for HOST, use a name that it has',
};

function unreachable(origin: string, why: string): Explained {
  const advice = 'start one with slackwater run -c FILE, or name its admin address with --admin URL';
  return ['SIDECAR_UNREACHABLE', `no sidecar answers at ${origin} (${why}): ${advice}`];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
