/** Clients that ask for metadata, and what they hear. */
import type { ClientSession, Verdict } from '../../../src/contract/protocol.ts';
import { answer, type Broker, type MetadataAnswer, metadataBody } from './answers.ts';
import { BROKERS, type Connection } from './kafka-bench.ts';
import { type MetadataOptions, metadataRequest } from './requests.ts';

export const VERSION = 9;

export interface Talk extends MetadataAnswer {
  readonly asked?: MetadataOptions;
  readonly version?: number;
  readonly brokers?: readonly Broker[];
}

/** The client asks a broker, whatever is cached. */
export function ask(
  connection: Connection,
  client: ClientSession,
  { asked = {}, version = VERSION }: Talk = {},
  id = 1,
): void {
  const bytes = metadataRequest(version, id, asked);
  client.inspect(bytes, 0, bytes.length, false, false);
  connection.session.lend('a');
  connection.session.admit(client, 'a');
}

/** It asks a broker, and hears what that says. */
export function hear(connection: Connection, client: ClientSession, talk: Talk = {}): void {
  const { version = VERSION, brokers = BROKERS } = talk;
  ask(connection, client, talk);
  connection.read(answer(3, version, 1, metadataBody(version, brokers, talk)));
}

/** What becomes of its next question. */
export function verdictOf(client: ClientSession, { asked = {}, version = VERSION }: Talk = {}): Verdict {
  const bytes = metadataRequest(version, 3, asked);
  return client.inspect(bytes, 0, bytes.length, true, false);
}
