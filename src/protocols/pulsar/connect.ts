/**
 * CONNECT and CONNECTED: what a client says of itself, what we say to brokers in its place, and what it is told.
 *
 *   CONNECT   := client_version=1 auth_method=2 auth_data=3 protocol_version=4 auth_method_name=5 proxy_to_broker_url=6
 *                original_principal=7 original_auth_data=8 original_auth_method=9 feature_flags=10 proxy_version=11
 *   CONNECTED := server_version=1 protocol_version=2 max_message_size=3 feature_flags=4
 *   FeatureFlags := fields 1 to 9, one bool each
 */
import { Type } from './commands.ts';
import {
  bytesIn,
  type Command,
  type Field,
  fieldsOf,
  frameOf,
  lastOf,
  MalformedError,
  MessageWriter,
  numberIn,
  textIn,
} from './message.ts';

/** The newest protocol that we know; commands of later ones are not understood. */
export const NEWEST_PROTOCOL = 21;
/** What a frame may be longer than the largest message (MESSAGE_SIZE_FRAME_PADDING). */
export const FRAME_PADDING_BYTES = 10 * 1024;
/** `maxMessageSize` of brokers that do not say theirs. */
const USUAL_MESSAGE_BYTES = 5 * 1024 * 1024;
/** FeatureFlags.supports_auth_refresh. */
const AUTH_REFRESH = 1;
/** What follows (scalable topics, discovery of transaction coordinators) names brokers in ways that are not rewritten. */
const LAST_FLAG = 7;
const LARGEST_INT32 = 0x7fff_ffffn;
const LEGACY_METHODS = ['none', 'ycav1', 'athens'];

/** Which of the features 1 to 7 somebody has: bit n - 1 stands for feature n. */
export type Features = number;

export interface Connect {
  readonly clientVersion: string;
  readonly protocolVersion: number;
  readonly features: Features;
  /** '' or `none`: nobody in particular. */
  readonly authMethod: string;
  /** As latin1. */
  readonly authData: string;
  /** '': none. */
  readonly proxyToBroker: string;
  /** It speaks for somebody else, as proxies do. */
  readonly isProxy: boolean;
}

/** What a broker said of itself to somebody who asked in `askedVersion`. */
export interface Connected {
  readonly serverVersion: string;
  readonly askedVersion: number;
  readonly protocolVersion: number;
  readonly maxMessageBytes: number;
  readonly features: Features;
}

export function supportsAuthRefresh(features: Features): boolean {
  return (features & (1 << (AUTH_REFRESH - 1))) !== 0;
}

/** @throws {MalformedError} */
export function readConnect(bytes: Buffer, command: Command): Connect {
  const fields = fieldsOf(bytes, command.at, command.end);
  const clientVersion = textIn(bytes, fields, 1);
  if (clientVersion === undefined) throw new MalformedError('CONNECT names no client version');
  const legacy = LEGACY_METHODS[Number(numberIn(fields, 2) ?? 0n)] ?? '';
  const data = bytesIn(bytes, fields, 3);
  return {
    clientVersion,
    protocolVersion: int32(numberIn(fields, 4) ?? 0n),
    features: featuresIn(bytes, lastOf(fields, 10, 2)),
    authMethod: textIn(bytes, fields, 5) ?? (data === undefined ? '' : legacy),
    authData: data?.toString('latin1') ?? '',
    proxyToBroker: textIn(bytes, fields, 6) ?? '',
    isProxy: fields.some(({ number }) => (number >= 7 && number <= 9) || number === 11),
  };
}

/** @throws {MalformedError} */
export function readConnected(bytes: Buffer, command: Command, askedVersion: number): Connected {
  const fields = fieldsOf(bytes, command.at, command.end);
  const maxMessageBytes = int32(numberIn(fields, 3) ?? 0n);
  return {
    serverVersion: textIn(bytes, fields, 1) ?? '',
    askedVersion,
    protocolVersion: Math.min(askedVersion, int32(numberIn(fields, 2) ?? 0n)),
    maxMessageBytes: maxMessageBytes > 0 ? maxMessageBytes : USUAL_MESSAGE_BYTES,
    features: featuresIn(bytes, lastOf(fields, 4, 2)),
  };
}

export interface Shown {
  readonly method: string;
  readonly data: Buffer;
}

/**
 * What a broker is told when a connection begins.
 *
 * @param shown null: we are nobody in particular
 * @param proxyToBroker `host:port` of the broker that is meant, if a proxy is told; '': whoever answers
 */
export function connectFrame(
  client: Pick<Connect, 'clientVersion' | 'protocolVersion' | 'features'>,
  shown: Shown | null,
  proxyToBroker: string,
): Buffer {
  const message = new MessageWriter()
    .text(1, client.clientVersion)
    .bytes(3, shown?.data)
    .number(4, client.protocolVersion)
    .text(5, shown?.method ?? 'none')
    .text(6, proxyToBroker === '' ? undefined : proxyToBroker)
    .bytes(10, writtenFeatures(client.features));
  return frameOf(Type.connect, message);
}

/** What a client is told: the broker's own limits, cut at what we can carry. */
export function connectedFrame(told: Connected): Buffer {
  const message = new MessageWriter()
    .text(1, told.serverVersion)
    .number(2, told.protocolVersion)
    .number(3, told.maxMessageBytes)
    .bytes(4, writtenFeatures(told.features));
  return frameOf(Type.connected, message);
}

/** Whether a client that was told `told` may use a connection whose broker said `said`. */
export function keepsPromise(said: Connected, told: Connected): boolean {
  return (
    said.protocolVersion === told.protocolVersion &&
    said.maxMessageBytes >= told.maxMessageBytes &&
    (said.features & told.features) === told.features
  );
}

function featuresIn(bytes: Buffer, field: Field | undefined): Features {
  if (field === undefined) return 0;
  let features = 0;
  for (const { number, value, wire } of fieldsOf(bytes, field.at, field.end)) {
    if (number > LAST_FLAG || wire !== 0) continue;
    const bit = 1 << (number - 1);
    features = value === 0n ? features & ~bit : features | bit;
  }
  return features;
}

function writtenFeatures(features: Features): Buffer {
  const flags = new MessageWriter();
  for (let number = 1; number <= LAST_FLAG; number += 1)
    if ((features & (1 << (number - 1))) !== 0) flags.flag(number, true);
  return flags.finish();
}

/** A negative or overlong number is none that anybody means. */
function int32(value: bigint): number {
  return value > LARGEST_INT32 ? 0 : Number(value);
}
