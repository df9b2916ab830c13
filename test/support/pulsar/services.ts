/** What a broker does with each command. */
import type { BrokerConnection } from './broker-connection.ts';
import { type Command, REQUIRED } from './commands.ts';
import { consumers } from './consumer-services.ts';
import type { Frame } from './frames.ts';
import { lookups } from './lookup-services.ts';
import { producers } from './producer-services.ts';
import type { Services } from './service.ts';

const handshake: Services = {
  CONNECT: (connection, fields) => {
    if (connection.connect !== null) return connection.close('a second CONNECT');
    const { options } = connection.broker.cluster;
    if (!connection.admits(fields.authMethodName ?? '', fields.authData)) return;
    connection.connect = fields;
    connection.send('CONNECTED', {
      serverVersion: 'Fake Pulsar',
      protocolVersion: Math.min(fields.protocolVersion ?? 0, options.protocolVersion),
      maxMessageSize: options.maxMessageSize,
      flags: options.flags,
    });
  },
  AUTH_RESPONSE: (connection, { response }) => {
    connection.admits(response?.method ?? '', response?.data);
  },
  PING: (connection) => connection.send('PONG', {}),
  PONG: () => undefined,
};

const rest: Services = {
  TC_CLIENT_CONNECT_REQUEST: (connection, { requestId = 0n }) =>
    connection.send('TC_CLIENT_CONNECT_RESPONSE', { requestId }),
  NEW_TXN: (connection, { requestId = 0n }) => connection.send('NEW_TXN_RESPONSE', { requestId, least: 1n, most: 0n }),
  END_TXN: (connection, { requestId = 0n, least = 0n, most = 0n }) =>
    connection.send('END_TXN_RESPONSE', { requestId, least, most }),
  WATCH_TOPIC_LIST: (connection, { requestId = 0n, watcherId = 0n }) =>
    connection.send('WATCH_TOPIC_LIST_SUCCESS', { requestId, watcherId, topics: [], hash: '0' }),
  WATCH_TOPIC_LIST_CLOSE: (connection, { requestId = 0n }) => connection.send('SUCCESS', { requestId }),
};

const SERVICES: Services = { ...handshake, ...lookups, ...producers, ...consumers, ...rest };

type AnyService = (connection: BrokerConnection, fields: unknown, frame: Frame) => void;

export function serve(connection: BrokerConnection, each: Frame): void {
  const command: Command = each.command;
  if (command.name === 'UNKNOWN') return;
  const required: readonly string[] = REQUIRED[command.name] ?? [];
  const missing = required.find((name) => !(name in command.fields));
  if (missing !== undefined) {
    connection.close(`${command.name} without ${missing}`);
    return;
  }
  const service = SERVICES[command.name] as AnyService | undefined;
  if (connection.connect === null && command.name !== 'CONNECT') connection.close(`${command.name} before CONNECT`);
  else if (service === undefined) connection.close(`${command.name} is not for brokers`);
  else service(connection, command.fields, each);
}
