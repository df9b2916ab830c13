/** What all that brokers do for commands have in common. */
import type { BrokerConnection } from './broker-connection.ts';
import { type CommandName, type FieldsOf, ServerError } from './commands.ts';
import type { Frame } from './frames.ts';
import type { Topic } from './topic.ts';

export type Service<N extends CommandName> = (connection: BrokerConnection, fields: FieldsOf<N>, frame: Frame) => void;
export type Services = { readonly [N in CommandName]?: Service<N> };

const TOPIC_NAME = /^(persistent|non-persistent):\/\/[^/]+\/[^/]+\/.+$/;

/** Short names are for clients to complete. */
export function isTopicName(name: string): boolean {
  return TOPIC_NAME.test(name);
}

/** The topic, if this broker serves it; else the request was refused. */
export function served(connection: BrokerConnection, name: string, requestId: bigint): Topic | undefined {
  if (!isTopicName(name)) {
    connection.error(requestId, ServerError.invalidTopicName, `Invalid topic name: ${name}`);
    return undefined;
  }
  const topic = connection.broker.cluster.find(name);
  if (topic === undefined) connection.error(requestId, ServerError.topicNotFound, `Topic ${name} not found`);
  else if (topic.owner !== connection.broker.index)
    connection.error(requestId, ServerError.serviceNotReady, `Topic ${name} is not served by this instance`);
  else return topic;
  return undefined;
}
