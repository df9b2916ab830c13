/**
 * Producers, as Pulsar's ServerCnx and AbstractTopic treat them: one name once a topic, a message of nobody closes the
 * connection, and a receipt says where a message lies.
 */
import { type CommandOf, ServerError } from './commands.ts';
import { readPayload } from './frames.ts';
import { type Services, served } from './service.ts';
import { DUPLICATE, type Producer } from './topic.ts';

const NO_SEQUENCE = -1n;

export const producers: Services = {
  PRODUCER: (connection, fields) => {
    const { producerId: id = 0n, requestId = 0n, epoch = 0n, accessMode = 0 } = fields;
    const { cluster } = connection.broker;
    const present = connection.producers.get(id);
    if (present !== undefined)
      // Whatever it asks for: it gets what is there.
      return connection.send('PRODUCER_SUCCESS', {
        ...{ requestId, producerName: present.name, lastSequenceId: NO_SEQUENCE, ready: true },
        schemaVersion: present.topic.schemaVersion,
      });
    const topic = served(connection, fields.topic ?? '', requestId);
    if (topic === undefined) return;
    const name = fields.producerName ?? cluster.nextName();
    if (accessMode !== 0 && topic.producers.size > 0)
      return connection.error(requestId, ServerError.producerFenced, 'Topic has existing producers');
    if ([...topic.producers.values()].some((each) => each.accessMode !== 0 && each.holder.isOpen))
      return connection.error(requestId, ServerError.producerBusy, 'Topic has an existing exclusive producer');
    const producer: Producer = { topic, id, name, epoch, holder: connection, accessMode };
    const fault = topic.connect(producer);
    if (fault !== null) return connection.error(requestId, ServerError.producerBusy, fault);
    connection.recentlyClosed.delete(id);
    const success = {
      ...{ requestId, producerName: name, schemaVersion: topic.schemaVersion },
      lastSequenceId: cluster.options.deduplication ? (topic.lastSequence.get(name) ?? NO_SEQUENCE) : NO_SEQUENCE,
    };
    const make = (): void => {
      if (!topic.has(producer)) return; // closed meanwhile
      connection.waiting.delete(id);
      connection.producers.set(id, producer);
      connection.send('PRODUCER_SUCCESS', { ...success, ready: true });
    };
    if (!connection.broker.keepsProducersWaiting) return make();
    connection.waiting.set(id, { producer, requestId });
    connection.send('PRODUCER_SUCCESS', { ...success, ready: false });
    connection.broker.whenReady(make);
  },

  SEND: (connection, { producerId = 0n, sequenceId = 0n, highestSequenceId }, { payload }) => {
    const producer = connection.producers.get(producerId);
    if (producer === undefined) {
      if (!connection.recentlyClosed.has(producerId))
        connection.close(`SEND for producer ${producerId}, which is not there`);
      return;
    }
    const read = readPayload(payload);
    if (read.sound === false)
      return connection.send('SEND_ERROR', {
        ...{ producerId, sequenceId, error: ServerError.checksum, message: 'Checksum failed on the broker' },
      });
    const { topic } = producer;
    const entry = topic.store(producer, sequenceId, read, payload, connection.broker.cluster.options.deduplication);
    const messageId = entry === null ? DUPLICATE : { ledgerId: topic.ledger, entryId: entry.id };
    connection.send('SEND_RECEIPT', {
      ...{ producerId, sequenceId, messageId },
      ...(highestSequenceId === undefined ? {} : { highestSequenceId }),
    });
  },

  CLOSE_PRODUCER: (connection, { producerId = 0n, requestId = 0n }: CommandOf<'CLOSE_PRODUCER'>['fields']) => {
    const producer = connection.producers.get(producerId) ?? connection.waiting.get(producerId)?.producer;
    connection.making.delete(producerId);
    connection.waiting.delete(producerId);
    producer?.topic.disconnect(producer);
    connection.producers.delete(producerId);
    connection.send('SUCCESS', { requestId });
  },
};
