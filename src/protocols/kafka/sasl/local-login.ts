/**
 * How one client of ours authenticates itself to the sidecar, which plays the broker's part (KIP-43, KIP-152, KIP-368):
 *
 *   unknown --SaslHandshake--> exchanging --the last token--> known --SaslHandshake--> exchanging, and so on
 *
 * One attempt a connection: a refusal is the last thing that it hears. Nothing changes before `commit`, so that the same
 * bytes may be judged more than once.
 */
import type { PasswordMechanism } from '../../../contract/credential.ts';
import type { CloseReason } from '../../../contract/reasons.ts';
import { ApiKey } from '../api-table.ts';
import { MalformedError } from '../cursor.ts';
import { afterClientId, LACKING } from '../request-head.ts';
import { oneLine } from './brokers-words.ts';
import { SaslError } from './messages.ts';
import type { PasswordCheck } from './password-check.ts';
import { PlainServer } from './plain-server.ts';
import { ScramServer } from './scram-server.ts';
import type { KnownUser, ServerStage, ServerStep } from './server-mechanism.ts';
import {
  authenticateAnswer,
  bareToken,
  handshakeAnswer,
  readAuthenticateRequest,
  readHandshakeRequest,
} from './server-messages.ts';

/** RFC 4422, section 3.1. */
const MECHANISM_NAME = /^[A-Z0-9_-]{1,20}$/;

interface Exchanging {
  readonly mechanism: PasswordMechanism;
  /** Tokens come bare, without a request around them (a handshake of version 0). */
  readonly bare: boolean;
  readonly stage: ServerStage;
}

/** What becomes of a request. */
export interface Judgement {
  /** What to say; null: nothing. */
  readonly answer: Buffer | null;
  /** The client must go, after the answer. */
  readonly end: { readonly reason: CloseReason; readonly detail: string } | null;
}

/** Of whoever tries where nobody can. */
export const NO_LOGIN: Judgement = {
  answer: null,
  end: {
    reason: 'refused_api',
    detail:
      'the client wants to authenticate with SASL, which this route does not take: remove the SASL settings of the client',
  },
};

interface Pending extends Judgement {
  readonly exchanging: Exchanging | null;
  readonly known: KnownUser | null;
}

/** A request for this. */
export interface SaslRequest {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  /** Of the whole frame. */
  readonly size: number;
}

/** Where its body stands: behind the client id. */
interface Body {
  readonly bytes: Buffer;
  readonly at: number;
  readonly end: number;
}

/** Of a request or a token; none of these mechanisms needs a hundredth of it. */
const MOST_BYTES = 64 * 1024;

export class LocalLogin {
  readonly #check: PasswordCheck;
  #known: KnownUser | null = null;
  #exchanging: Exchanging | null = null;
  #pending: Pending | null = null;
  /** The token that was judged last; a client that cannot be answered yet is judged again, which may be dear. */
  #judged: { readonly stage: ServerStage; readonly token: Buffer; readonly step: ServerStep } | null = null;
  /** Why it may do nothing at all. */
  readonly #barred: string | null = null;

  /** @param user who it is by its certificate, else null */
  constructor(check: PasswordCheck, user: string | null) {
    this.#check = check;
    if (user === null) return;
    const known = check.find(user);
    if (known !== undefined) this.#known = { name: user, user: known };
    else this.#barred = `the certificate is of "${oneLine(user)}", who is no user of listenSasl.credentialsFile`;
  }

  /** '' before it is known. */
  get identity(): string {
    return this.#known?.user.identity ?? '';
  }

  get expectsBareToken(): boolean {
    return this.#exchanging?.bare ?? false;
  }

  /** Why such a request is not taken now; null: it is. */
  refusal(apiKey: number): Judgement['end'] {
    if (this.#barred !== null) return { reason: 'authentication_failed', detail: this.#barred };
    if (apiKey === ApiKey.apiVersions || apiKey === ApiKey.saslHandshake || apiKey === ApiKey.saslAuthenticate)
      return null;
    if (this.#exchanging !== null) return { reason: 'refused_api', detail: `api ${apiKey} in the middle of SASL` };
    if (this.#known !== null) return null;
    const names = this.#check.mechanisms.join(', ');
    const detail = `the client has not authenticated itself: this route wants SASL, with ${names || 'nothing'}`;
    return { reason: 'refused_api', detail };
  }

  /** @returns null while `bytes[start, end)` is not all of it */
  judge(request: SaslRequest, bytes: Buffer, start: number, end: number): Judgement | null {
    const { apiKey, size } = request;
    if (size > MOST_BYTES) return this.#keep(this.#ends('protocol_error', `a SASL request of ${size} bytes`));
    if (end - start < size) return null;
    const body = { bytes, at: afterClientId(bytes, start, start + size), end: start + size };
    if (body.at === LACKING)
      return this.#keep(this.#ends('protocol_error', 'a SASL request ends within its client id'));
    try {
      const judgement =
        apiKey === ApiKey.saslHandshake ? this.#handshake(request, body) : this.#authenticate(request, body);
      return this.#keep(judgement);
    } catch (error) {
      if (error instanceof MalformedError) return this.#keep(this.#ends('protocol_error', error.message));
      throw error;
    }
  }

  /** A token without a request around it. @returns null while `bytes[at, end)` is not all of it */
  judgeBare(length: number, bytes: Buffer, at: number, end: number): Judgement | null {
    if (length < 0 || length > MOST_BYTES)
      return this.#keep(this.#ends('protocol_error', `a SASL token of ${length} bytes`));
    if (end - at < length) return null;
    const step = this.#step(bytes.subarray(at, at + length));
    // Whoever speaks this way is told nothing but the end of the connection.
    if (step.kind === 'refused') return this.#keep(this.#ends('authentication_failed', step.why));
    return this.#keep(this.#advance(step, bareToken(step.token)));
  }

  #keep(pending: Pending): Judgement {
    this.#pending = pending;
    return pending;
  }

  /** What was judged last has been answered. */
  commit(): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    this.#judged = null;
    this.#exchanging = pending.exchanging;
    this.#known = pending.known;
  }

  #ends(reason: CloseReason, detail: string, answer: Buffer | null = null): Pending {
    return { answer, end: { reason, detail }, exchanging: null, known: this.#known };
  }

  #handshake({ version, correlationId }: SaslRequest, { bytes, at, end }: Body): Pending {
    if (version < 0 || version > 1) return this.#ends('protocol_error', `SaslHandshake in version ${version}`);
    if (this.#exchanging !== null) return this.#ends('protocol_error', 'SaslHandshake in the middle of an exchange');
    const asked = readHandshakeRequest(bytes, at, end);
    const { mechanisms } = this.#check;
    const mechanism = mechanisms.find((each) => each === asked);
    if (mechanism === undefined) {
      const offered = mechanisms.length === 0 ? 'none: clients are known by their certificates' : mechanisms.join(', ');
      // A client whose settings are mixed up may name its password.
      const name = MECHANISM_NAME.test(asked) ? asked : 'of a name that no mechanism has';
      const detail = `the client asks for the SASL mechanism ${name}; listenSasl.mechanisms has ${offered}`;
      const answer = handshakeAnswer(correlationId, SaslError.unsupportedMechanism, mechanisms);
      return this.#ends('authentication_failed', detail, answer);
    }
    const stage = mechanism === 'PLAIN' ? new PlainServer(this.#check) : new ScramServer(this.#check, mechanism);
    const exchanging = { mechanism, bare: version === 0, stage };
    return { answer: handshakeAnswer(correlationId, 0, mechanisms), end: null, exchanging, known: this.#known };
  }

  #authenticate({ version, correlationId }: SaslRequest, { bytes, at, end }: Body): Pending {
    if (version < 0 || version > 2) return this.#ends('protocol_error', `SaslAuthenticate in version ${version}`);
    if (this.#exchanging === null) return this.#ends('protocol_error', 'SaslAuthenticate before SaslHandshake');
    const step = this.#step(readAuthenticateRequest(version, bytes, at, end));
    if (step.kind === 'refused') {
      const message = refusalOf(this.#exchanging.mechanism);
      const reply = { error: SaslError.authenticationFailed, message, token: Buffer.alloc(0) };
      return this.#ends('authentication_failed', step.why, authenticateAnswer(version, correlationId, reply));
    }
    return this.#advance(
      step,
      authenticateAnswer(version, correlationId, { error: 0, message: null, token: step.token }),
    );
  }

  #advance(step: Exclude<ServerStep, { kind: 'refused' }>, answer: Buffer): Pending {
    if (step.kind === 'accepted') return { answer, end: null, exchanging: null, known: step.who };
    const exchanging = this.#exchanging === null ? null : { ...this.#exchanging, stage: step.next };
    return { answer, end: null, exchanging, known: this.#known };
  }

  #step(token: Buffer): ServerStep {
    const stage = this.#exchanging?.stage;
    if (stage === undefined) return { kind: 'refused', why: 'a SASL token before SaslHandshake' };
    if (this.#judged?.stage === stage && this.#judged.token.equals(token)) return this.#judged.step;
    const step = this.#allowed(stage.take(token));
    this.#judged = { stage, token: Buffer.from(token), step };
    return step;
  }

  /** Nobody becomes somebody else on the same connection (KIP-368). */
  #allowed(step: ServerStep): ServerStep {
    if (step.kind !== 'accepted' || this.#known === null) return step;
    const { name, user } = step.who;
    if (name === this.#known.name && user.identity === this.identity) return step;
    return { kind: 'refused', why: `user "${oneLine(this.#known.name)}" wants to become "${oneLine(name)}"` };
  }
}

/** As brokers say it. */
function refusalOf(mechanism: PasswordMechanism): string {
  if (mechanism === 'PLAIN') return 'Authentication failed: Invalid username or password';
  return `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`;
}
