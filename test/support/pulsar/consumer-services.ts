/** Subscriptions: messages go to whoever has permits, and come again if they were not acknowledged. */
import type { BrokerConnection } from './broker-connection.ts';
import { ServerError } from './commands.ts';
import { type Services, served } from './service.ts';
import type { Consumer, Entry } from './topic.ts';

const EXCLUSIVE = 0;
const CUMULATIVE = 1;
const EARLIEST = 1;

export const consumers: Services = {
  SUBSCRIBE: (connection, fields) => {
    const { consumerId: id = 0n, requestId = 0n, subType = EXCLUSIVE, initialPosition } = fields;
    const topic = served(connection, fields.topic ?? '', requestId);
    if (topic === undefined) return;
    const subscription = topic.subscribe(fields.subscription ?? '', subType, initialPosition === EARLIEST);
    if (subType === EXCLUSIVE && subscription.consumers.size > 0)
      return connection.error(requestId, 5, 'Exclusive consumer is already connected');
    const deliver = (entry: Entry): void =>
      connection.send(
        'MESSAGE',
        { consumerId: id, messageId: { ledgerId: topic.ledger, entryId: entry.id } },
        entry.payload,
      );
    const consumer: Consumer = { topic, id, subscription, holder: connection, permits: 0, deliver };
    subscription.consumers.add(consumer);
    connection.consumers.set(id, consumer);
    connection.send('SUCCESS', { requestId });
  },
  FLOW: (connection, { consumerId = 0n, permits = 0 }) => {
    const consumer = connection.consumers.get(consumerId);
    if (consumer === undefined) return;
    consumer.permits += permits;
    consumer.topic.dispatch(consumer.subscription);
  },
  ACK: (connection, { consumerId = 0n, ackType = 0, messageIds = [], requestId }) => {
    const consumer = connection.consumers.get(consumerId);
    if (consumer === undefined) return; // never answered
    const { acknowledged } = consumer.subscription;
    for (const { entryId = 0n } of messageIds) {
      acknowledged.add(entryId);
      if (ackType === CUMULATIVE) for (let id = 0n; id < entryId; id += 1n) acknowledged.add(id);
    }
    if (requestId !== undefined) connection.send('ACK_RESPONSE', { consumerId, requestId });
  },
  REDELIVER_UNACKNOWLEDGED_MESSAGES: (connection, { consumerId = 0n }) => {
    const consumer = connection.consumers.get(consumerId);
    consumer?.topic.redeliver(consumer.subscription);
  },
  CLOSE_CONSUMER: (connection, { consumerId = 0n, requestId = 0n }) => {
    forget(connection, consumerId);
    connection.send('SUCCESS', { requestId });
  },
  UNSUBSCRIBE: (connection, { consumerId = 0n, requestId = 0n }) => {
    const consumer = forget(connection, consumerId);
    consumer?.topic.subscriptions.delete(consumer.subscription.name);
    connection.send('SUCCESS', { requestId });
  },
  GET_LAST_MESSAGE_ID: (connection, { consumerId = 0n, requestId = 0n }) => {
    const topic = connection.consumers.get(consumerId)?.topic;
    if (topic === undefined) return connection.error(requestId, ServerError.topicNotFound, 'Consumer not found');
    const lastMessageId = { ledgerId: topic.ledger, entryId: BigInt(topic.entries.length) - 1n };
    connection.send('GET_LAST_MESSAGE_ID_RESPONSE', { lastMessageId, requestId });
  },
};

function forget(connection: BrokerConnection, id: bigint): Consumer | undefined {
  const consumer = connection.consumers.get(id);
  connection.consumers.delete(id);
  consumer?.subscription.consumers.delete(consumer);
  if (consumer !== undefined) consumer.topic.redeliver(consumer.subscription);
  return consumer;
}
