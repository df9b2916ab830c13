/** What all that brokers do for commands have in common. */
import type { BrokerConnection } from './broker-connection.ts';
import { type CommandName, type FieldsOf, ServerError } from './commands.ts';
import type { Frame } from './frames.ts';
import type { Topic } from './topic.ts';

export type Service<N extends CommandName> = (connection: BrokerConnection, fields: FieldsOf<N>, frame: Frame) => void;
export type Services = { readonly [N in CommandName]?: Service<N> };

/** The topic, if this broker serves it; else the request was refused. */
export function served(connection: BrokerConnection, name: string, requestId: bigint): Topic | undefined {
  const topic = connection.broker.cluster.find(name);
  if (topic === undefined) connection.error(requestId, ServerError.topicNotFound, `Topic ${name} not found`);
  else if (topic.owner !== connection.broker.index)
    connection.error(requestId, ServerError.serviceNotReady, `Topic ${name} is not served by this instance`);
  else return topic;
  return undefined;
}
