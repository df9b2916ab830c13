/**
 * Whose credential a client's requests are made with. If clients' own credentials are passed on, it is held as long as the
 * client is there, and brokers' requests to renew it (AUTH_CHALLENGE) are answered by the client: in their order, each over
 * the connection that asked. No broker asks while none is connected: then we do, and keep the answer.
 */
import type { Credential } from '../../contract/credential.ts';
import { Secret } from '../../contract/credential.ts';
import { Type } from './commands.ts';
import { type Connect, type Connected, supportsAuthRefresh } from './connect.ts';
import { bytesIn, type Command, fieldsOf, frameOf, lastOf, MalformedError, MessageWriter, textIn } from './message.ts';
import type { PulsarRoute } from './route.ts';

/** Somebody asked, and has not been answered. */
export interface Challenge {
  readonly node: string;
  readonly purpose: string;
  /** The connection whose broker asked; null: we did. */
  readonly link: unknown;
}

interface Response {
  readonly method: string;
  readonly data: string;
}

interface RenewingClient {
  identity: string;
  readonly connect: Connect | null;
  readonly told: Connected | null;
}

const OURS: Challenge = { node: '', purpose: '', link: null };
/** What brokers of Pulsar ask with if they want a credential anew; the client's library looks for it. */
const REFRESH = Buffer.from('PulsarAuthRefresh');

/** A broker asks once a minute; who answers none of these never will. */
const MOST_CHALLENGES = 64;

export class Renewals {
  readonly #route: PulsarRoute;
  readonly #client: RenewingClient;
  readonly #challenges: Challenge[] = [];
  #held: string | null = null;
  #tell: (frame: Buffer) => void = () => undefined;
  /** What the inspected AUTH_RESPONSE holds. */
  #response: Response | null = null;
  /** What the client showed brokers refuse. */
  isTurnedAway = false;

  constructor(route: PulsarRoute, client: RenewingClient) {
    this.#route = route;
    this.#client = client;
  }

  /** @param tell writes a whole frame to the client */
  attach(tell: (frame: Buffer) => void): void {
    this.#tell = tell;
  }

  holdOnce(connect: Connect): void {
    const { passed } = this.#route.multiplexing;
    if (this.#held !== null) return;
    if (passed === null) {
      this.#held = '';
    } else {
      this.#held = passed.hold(credentialOf(methodOf(connect), connect.authData));
    }
    this.#client.identity = this.#held;
    this.#route.identityHeld(this.#held);
  }

  /** @returns whether it was the client that showed it */
  turnedAway(): boolean {
    this.isTurnedAway = this.#route.multiplexing.passed !== null;
    return this.isTurnedAway;
  }

  get supported(): boolean {
    const { connect } = this.#client;
    return connect !== null && supportsAuthRefresh(connect.features) && this.#challenges.length < MOST_CHALLENGES;
  }

  challenged(challenge: Challenge): void {
    this.#challenges.push(challenge);
  }

  /** The client is to show something new, for connections that are still to be opened. False: it cannot be asked now. */
  ask(): boolean {
    const { connect, told } = this.#client;
    if (connect === null || told === null || !this.supported || this.#challenges.includes(OURS)) return false;
    this.#challenges.push(OURS);
    this.#tell(challengeFrame(methodOf(connect), told.protocolVersion));
    return true;
  }

  /** That connection does not wait for an answer any more. */
  linkGone(link: unknown): void {
    const left = this.#challenges.filter((challenge) => challenge.link !== link);
    this.#challenges.splice(0, this.#challenges.length, ...left);
  }

  /** What the AUTH_RESPONSE answers; null: nobody has asked. May be called more than once. */
  renewed(bytes: Buffer, command: Command): Challenge | null {
    const [challenge] = this.#challenges;
    if (challenge === undefined) return null;
    this.#response = responseIn(bytes, command);
    return challenge;
  }

  /**
   * What `renewed` saw last is the client's answer.
   *
   * @param link over which it goes; null: over none
   * @returns whether that is the one that asked
   */
  answered(link: unknown): boolean {
    const challenge = this.#challenges.shift();
    const response = this.#response;
    this.#response = null;
    // Whoever shows himself in another way may be somebody else: that is for this connection's broker to judge.
    if (this.#held !== null && response?.method === methodOf(this.#client.connect))
      this.#route.multiplexing.passed?.renew(this.#held, credentialOf(response.method, response.data));
    return challenge?.link === link;
  }

  letGo(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    this.#route.multiplexing.passed?.letGo(held);
    this.#route.identityLetGo(held);
  }
}

function methodOf(connect: Connect | null): string {
  return connect === null || connect.authMethod === '' ? 'none' : connect.authMethod;
}

function credentialOf(method: string, data: string): Credential {
  return { mechanism: 'PASSED', method, data: new Secret(data) };
}

/** AuthChallenge := server_version=1 challenge=2{auth_method_name=1 auth_data=2} protocol_version=3 */
function challengeFrame(method: string, protocolVersion: number): Buffer {
  const challenge = new MessageWriter().text(1, method).bytes(2, REFRESH).finish();
  return frameOf(Type.authChallenge, new MessageWriter().bytes(2, challenge).number(3, protocolVersion));
}

/** AuthResponse := client_version=1 response=2{auth_method_name=1 auth_data=2} protocol_version=3 */
function responseIn(bytes: Buffer, command: Command): Response {
  const response = lastOf(fieldsOf(bytes, command.at, command.end), 2, 2);
  if (response === undefined) throw new MalformedError('an AUTH_RESPONSE holds no response');
  const fields = fieldsOf(bytes, response.at, response.end);
  const data = bytesIn(bytes, fields, 2)?.toString('latin1') ?? '';
  return { method: textIn(bytes, fields, 1) ?? 'none', data };
}
