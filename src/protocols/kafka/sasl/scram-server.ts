/** A server's part of SCRAM (RFC 5802), in two stages; messages stand in scram-client.ts, formulas in scram.ts. */
import { MalformedError } from '../cursor.ts';
import { PasswordCheck } from './password-check.ts';
import { attributesOf, fromBase64, MOST_MESSAGE_BYTES, newNonce, type ScramMechanism, unescapeName } from './scram.ts';
import { refused, type ServerStage, type ServerStep } from './server-mechanism.ts';

/** No channel is bound (`n`), or the client could and thinks that we cannot (`y`); perhaps for whom it wants to act. */
const HEADER = /^[ny],(?:a=([^,]*))?,/;

function taken(token: Buffer, take: (message: string) => ServerStep): ServerStep {
  if (token.length > MOST_MESSAGE_BYTES) return refused('a SCRAM message that is too long');
  try {
    return take(token.toString('utf8'));
  } catch (error) {
    if (error instanceof MalformedError) return refused(error.message);
    throw error;
  }
}

export class ScramServer implements ServerStage {
  readonly #check: PasswordCheck;
  readonly #mechanism: ScramMechanism;
  readonly #nonce: string;

  constructor(check: PasswordCheck, mechanism: ScramMechanism, nonce = newNonce()) {
    this.#check = check;
    this.#mechanism = mechanism;
    this.#nonce = nonce;
  }

  take(token: Buffer): ServerStep {
    return taken(token, (message) => this.#challenge(message));
  }

  #challenge(message: string): ServerStep {
    const [header, authorized = ''] = HEADER.exec(message) ?? [];
    if (header === undefined) return refused('a SCRAM message that does not begin with n,,');
    const clientFirst = message.slice(header.length);
    const [escaped = '', clientNonce = ''] = attributesOf(clientFirst, ['n', 'r']);
    const username = unescapeName(escaped);
    if (username === '' || clientNonce === '') return refused('a SCRAM message without a user or a nonce');
    if (authorized !== '' && unescapeName(authorized) !== username)
      return refused('a client that wants to act for somebody else');
    const nonce = `${clientNonce}${this.#nonce}`;
    const salt = this.#check.saltOf(this.#mechanism, username).toString('base64');
    const serverFirst = `r=${nonce},s=${salt},i=${this.#check.iterations}`;
    const binding = Buffer.from(header, 'utf8').toString('base64');
    const exchange = { username, nonce, binding, begun: `${clientFirst},${serverFirst}` };
    const next = new ScramProofStage(this.#check, this.#mechanism, exchange);
    return { kind: 'challenge', token: Buffer.from(serverFirst, 'utf8'), next };
  }
}

interface Exchange {
  readonly username: string;
  readonly nonce: string;
  readonly binding: string;
  /** Both first messages, as they go into what is signed. */
  readonly begun: string;
}

class ScramProofStage implements ServerStage {
  readonly #check: PasswordCheck;
  readonly #mechanism: ScramMechanism;
  readonly #exchange: Exchange;

  constructor(check: PasswordCheck, mechanism: ScramMechanism, exchange: Exchange) {
    this.#check = check;
    this.#mechanism = mechanism;
    this.#exchange = exchange;
  }

  take(token: Buffer): ServerStep {
    return taken(token, (message) => this.#verify(message));
  }

  #verify(message: string): ServerStep {
    const { username, nonce, binding, begun } = this.#exchange;
    const [said, given] = attributesOf(message, ['c', 'r']);
    const proofAt = message.lastIndexOf(',p=');
    if (said !== binding || given !== nonce || proofAt < 0)
      return refused('a SCRAM message that does not continue its exchange');
    const proof = fromBase64(message.slice(proofAt + 3));
    const signed = `${begun},${message.slice(0, proofAt)}`;
    const accepted = this.#check.withProof(this.#mechanism, { username, message: signed, proof });
    if (accepted === undefined) return refused(PasswordCheck.refusal(username));
    const token = Buffer.from(`v=${accepted.signature.toString('base64')}`, 'utf8');
    return { kind: 'accepted', token, who: { name: username, user: accepted.user } };
  }
}
