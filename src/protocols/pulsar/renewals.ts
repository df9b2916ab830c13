/**
 * Whose credential a client's requests are made with. If clients' own credentials are passed on, it is held as long as the
 * client is there, and brokers' requests to renew it (AUTH_CHALLENGE) are answered by the client: in their order, each over
 * the connection that asked.
 */
import type { Credential } from '../../contract/credential.ts';
import { Secret } from '../../contract/credential.ts';
import { type Connect, supportsAuthRefresh } from './connect.ts';
import { bytesIn, type Command, fieldsOf, lastOf, MalformedError, textIn } from './message.ts';
import type { PulsarRoute } from './route.ts';

/** One broker that asked, and has not been answered. */
export interface Challenge {
  readonly node: string;
  readonly purpose: string;
  /** The connection that asked. */
  readonly link: unknown;
}

/** A broker asks once a minute; who answers none of these never will. */
const MOST_CHALLENGES = 64;

export class Renewals {
  readonly #route: PulsarRoute;
  readonly #client: { identity: string; readonly connect: Connect | null };
  readonly #challenges: Challenge[] = [];
  #held: string | null = null;
  /** What the client showed brokers refuse. */
  isTurnedAway = false;

  constructor(route: PulsarRoute, client: { identity: string; readonly connect: Connect | null }) {
    this.#route = route;
    this.#client = client;
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

  /** That connection does not wait for an answer any more. */
  linkGone(link: unknown): void {
    const left = this.#challenges.filter((challenge) => challenge.link !== link);
    this.#challenges.splice(0, this.#challenges.length, ...left);
  }

  /** The connection that the AUTH_RESPONSE answers; null: nobody has asked. May be called more than once. */
  renewed(bytes: Buffer, command: Command): Challenge | null {
    const [challenge] = this.#challenges;
    if (challenge === undefined) return null;
    responseIn(bytes, command);
    return challenge;
  }

  /** @returns whether that connection is the one that asked */
  answered(link: unknown, bytes: Buffer, command: Command): boolean {
    const challenge = this.#challenges.shift();
    const { method, data } = responseIn(bytes, command);
    // Whoever shows himself in another way may be somebody else: that is for this connection's broker to judge.
    if (this.#held !== null && method === methodOf(this.#client.connect))
      this.#route.multiplexing.passed?.renew(this.#held, credentialOf(method, data));
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

/** AuthResponse := client_version=1 response=2{auth_method_name=1 auth_data=2} protocol_version=3 */
function responseIn(bytes: Buffer, command: Command): { readonly method: string; readonly data: string } {
  const response = lastOf(fieldsOf(bytes, command.at, command.end), 2, 2);
  if (response === undefined) throw new MalformedError('an AUTH_RESPONSE holds no response');
  const fields = fieldsOf(bytes, response.at, response.end);
  const data = bytesIn(bytes, fields, 2)?.toString('latin1') ?? '';
  return { method: textIn(bytes, fields, 1) ?? 'none', data };
}
