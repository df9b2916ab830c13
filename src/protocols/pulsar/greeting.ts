/** How a connection begins: CONNECT with what its purpose asks for, and what the broker says to it. */
import type { Credential } from '../../contract/credential.ts';
import type { UpstreamTarget } from '../../contract/protocol.ts';
import { BOOTSTRAP } from '../../contract/topology.ts';
import { addressOf } from './broker-url.ts';
import { ServerError, Type } from './commands.ts';
import {
  type Connect,
  type Connected,
  connectFrame,
  FRAME_PADDING_BYTES,
  NEWEST_PROTOCOL,
  readConnected,
  type Shown,
} from './connect.ts';
import type { Failure, LinkContext } from './link.ts';
import { type Command, fieldsOf, frameOf, MessageWriter, numberIn, textIn } from './message.ts';
import { ownerOf, speechOf } from './purposes.ts';
import type { PulsarRoute } from './route.ts';

type Speaker = Pick<Connect, 'clientVersion' | 'protocolVersion' | 'features'>;

/** Ourselves: we can renew our credential, and ask for the partitions of a topic without creating it. */
const OURSELVES: Speaker = { clientVersion: 'slackwater', protocolVersion: NEWEST_PROTOCOL, features: 0b10001 };
const USUAL_MOST_BYTES = 5 * 1024 * 1024 + FRAME_PADDING_BYTES;

export class Greeting implements LinkContext {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly identity: string;
  connected: Connected | null = null;
  /** CONNECT was sent and is not answered. */
  underWay = false;
  readonly #route: PulsarRoute;
  readonly #purpose: string;
  readonly #speaker: Speaker;

  constructor(route: PulsarRoute, { node, host, port }: UpstreamTarget, identity: string, purpose: string) {
    this.#route = route;
    this.node = node;
    this.host = host;
    this.port = port;
    this.identity = identity;
    this.#purpose = purpose;
    this.#speaker = speakerOf(route, purpose);
  }

  /** The largest frame that the broker may send. */
  get mostFrameBytes(): number {
    return this.connected === null ? USUAL_MOST_BYTES : this.connected.maxMessageBytes + FRAME_PADDING_BYTES;
  }

  /** Undefined: it is enough that the broker can be reached. */
  begin(credential: Credential | null): Buffer | undefined {
    if (this.#purpose === '' && credential === null) return undefined;
    this.underWay = true;
    // Dialled at another address than its own, it is behind a proxy, which must be told whom we mean.
    const isBehind = this.node !== BOOTSTRAP && addressOf(this.host, this.port) !== this.node;
    return connectFrame(this.#speaker, shownOf(credential), isBehind ? this.node : '');
  }

  /** Somebody comes: what the broker said may have been forgotten with the last client, and nobody asks again. */
  remind(): void {
    const said = this.connected;
    if (said !== null && this.#route.wouldTell(this.identity, this.node, said.askedVersion) === null)
      this.#route.learn(this.identity, this.node, said);
  }

  /** What the broker says to CONNECT. Null: we are connected. */
  take(bytes: Buffer, command: Command): Failure | null {
    switch (command.type) {
      case Type.connected:
        this.underWay = false;
        this.connected = readConnected(bytes, command, this.#speaker.protocolVersion);
        this.#route.learn(this.identity, this.node, this.connected);
        return null;
      case Type.error:
        return refused(bytes, command);
      case Type.authChallenge: {
        const detail = 'the broker wants a dialogue to authenticate, which cannot be led for others';
        return { reason: 'dial_failed', detail, failure: 'mechanism_unsupported' };
      }
      default:
        return {
          reason: 'protocol_error',
          detail: `the broker answers CONNECT with a command of type ${command.type}`,
        };
    }
  }

  renewal(credential: Credential | null): Buffer | undefined {
    const shown = shownOf(credential);
    if (shown === null) return undefined;
    const response = new MessageWriter().text(1, shown.method).bytes(2, shown.data).finish();
    const message = new MessageWriter()
      .text(1, this.#speaker.clientVersion)
      .bytes(2, response)
      .number(3, this.#speaker.protocolVersion);
    return frameOf(Type.authResponse, message);
  }
}

function refused(bytes: Buffer, command: Command): Failure {
  const fields = fieldsOf(bytes, command.at, command.end);
  const error = Number(numberIn(fields, 2) ?? 0n);
  const isLogin = error === ServerError.authentication || error === ServerError.authorization;
  // One line, whatever the broker wrote.
  const words = (textIn(bytes, fields, 3) ?? '').replaceAll(/[\p{C}\s]+/gu, ' ').slice(0, 300);
  return {
    reason: 'dial_failed',
    detail: `the broker refuses the connection: ${words}`,
    failure: isLogin ? 'authentication_failed' : 'rejected',
  };
}

/** As whom a connection for this purpose speaks: a client's own for that client, all others for us. */
function speakerOf(route: PulsarRoute, purpose: string): Speaker {
  const shared = speechOf(purpose);
  if (shared !== null) return { ...OURSELVES, ...shared };
  const owner = ownerOf(purpose);
  if (owner === null) return OURSELVES;
  const connect = route.clientNumbered(owner)?.connect;
  if (connect == null) return OURSELVES; // its client is gone, and so is the need for it
  return { ...connect, protocolVersion: Math.min(connect.protocolVersion, NEWEST_PROTOCOL) };
}

function shownOf(credential: Credential | null): Shown | null {
  if (credential === null) return null;
  if (credential.mechanism === 'PASSED') {
    const { method, data } = credential;
    return method === 'none' ? null : { method, data: Buffer.from(data.reveal(), 'latin1') };
  }
  if (credential.mechanism === 'OAUTHBEARER') return { method: 'token', data: Buffer.from(credential.token.reveal()) };
  const { username, password } = credential;
  return { method: 'basic', data: Buffer.from(`${username}:${password.reveal()}`) };
}
