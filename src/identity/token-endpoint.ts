/**
 * The client-credentials grant (RFC 6749 section 4.4; KIP-768 for Kafka): a client id and its secret for a bearer token.
 * One request, one connection, which is closed behind it. Neither secret nor token ever stands in a message.
 */
import { Agent, type Dispatcher, request } from 'undici';
import type { Secret } from '../contract/credential.ts';
import type { Clock } from '../core/clock.ts';
import { LoginError } from '../core/login.ts';
import { bearer, type FetchedToken, lifeOfJwt } from './token.ts';
import { TokenRefusedError } from './token-cache.ts';

const MAX_ANSWER_BYTES = 65_536;

/** The only words of an answer that are repeated: RFC 6749 sections 4.1.2.1 and 5.2. */
const OAUTH_ERRORS: readonly string[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
];

export interface TokenGrant {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scope: string | undefined;
  /** PEM, of those whose signature on the endpoint's certificate is believed. */
  readonly authorities: readonly string[];
}

/** The endpoint in messages. */
export function nameOf({ url }: Pick<TokenGrant, 'url'>): string {
  return `the token endpoint ${new URL(url).host}`;
}

/** Rejects with a LoginError that names host and cause. @param signal ends it, however far it has come */
export async function fetchToken(grant: TokenGrant, clock: Clock, signal: AbortSignal): Promise<FetchedToken> {
  const host = nameOf(grant);
  const agent = new Agent({
    connect: { ca: [...grant.authorities], timeout: 0 },
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await request(grant.url, { ...postOf(grant), dispatcher: agent, signal });
    const body = await boundedJson(answer.body, host);
    return tokenIn(body, answer.statusCode, host, clock);
  } catch (error) {
    if (error instanceof LoginError) throw error;
    throw new LoginError(`${host} cannot be reached: ${causeOf(error)}`);
  } finally {
    await agent.destroy();
  }
}

function postOf({ clientId, clientSecret, scope }: TokenGrant): Pick<Dispatcher.RequestOptions, 'headers' | 'body'> & {
  readonly method: 'POST';
} {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`;
  return {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
  };
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they become a user name and a password. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** Undefined if it is not JSON. */
async function boundedJson(body: AsyncIterable<Buffer>, host: string): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new LoginError(`${host} has answered more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined; // The status is told instead.
  }
}

function tokenIn(body: unknown, status: number, host: string, clock: Clock): FetchedToken {
  const fields: Readonly<Record<string, unknown>> = typeof body === 'object' && body !== null ? { ...body } : {};
  if (status !== 200) {
    const code = OAUTH_ERRORS.find((known) => known === fields.error);
    const said = `${host} has answered ${status}${code === undefined ? '' : ` ${code}`}`;
    const refused = status === 400 || status === 401 || status === 403;
    throw refused ? new TokenRefusedError(`${said}: check client id, secret and scope`) : new LoginError(said);
  }
  const { access_token: text, token_type: type, expires_in: seconds } = fields;
  if (typeof text !== 'string') throw new LoginError(`${host} has answered without an access_token`);
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer') {
    throw new LoginError(`${host} has given a token that is not a bearer token`);
  }
  const token = bearer(text, `what ${host} has given`);
  // Some send the number as text.
  const stated = typeof seconds === 'number' || typeof seconds === 'string' ? Number(seconds) * 1000 : Number.NaN;
  return { token, lifeMilliseconds: Number.isFinite(stated) ? stated : lifeOfJwt(token, clock.unixSeconds()) };
}

/** The code of the system, of TLS or of the client, which holds nothing that was sent. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown cause';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
