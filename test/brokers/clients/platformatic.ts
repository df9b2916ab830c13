/** @platformatic/kafka behind the JSON lines that driver.ts describes. */
import { Consumer, ProduceAcks, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { unsecuredToken } from '../token.ts';
import type { NodeAccess } from './access.ts';
import { type ConsumeRequest, type Member, Members } from './members.ts';
import { Senders } from './senders.ts';
import { log, serve } from './serve.ts';

function accessOptions(access: unknown): object {
  const { tls, sasl } = (access ?? {}) as NodeAccess;
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined
      ? {}
      : {
          sasl:
            sasl.mechanism === 'OAUTHBEARER'
              ? { mechanism: sasl.mechanism, token: () => unsecuredToken(sasl.username) }
              : sasl,
        }),
  };
}

const senders = new Senders(async (bootstrap, name, settings) => {
  const { acks = ProduceAcks.ALL, access, ...rest } = settings;
  const producer = new Producer({
    clientId: name,
    bootstrapBrokers: bootstrap.split(','),
    serializers: stringSerializers,
    // Of the same kind as the other libraries' retries: as long as it takes.
    retries: true,
    ...accessOptions(access),
    ...rest,
  });
  return {
    send: (topic, value) => producer.send({ acks: Number(acks), messages: [{ topic, value }] }),
    close: () => producer.close(true),
  };
});

const members = new Members(async (request: ConsumeRequest, name: string, member: Member) => {
  const { access, ...settings } = request.settings;
  const consumer = new Consumer({
    clientId: name,
    groupId: request.group,
    bootstrapBrokers: request.bootstrap.split(','),
    deserializers: stringDeserializers,
    // After three retries, its default, a stream that met a failed fetch ends for good.
    retries: true,
    ...accessOptions(access),
    ...settings,
  });
  const look = () => {
    member.assigned = (consumer.assignments ?? []).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => `${topic}-${partition}`),
    );
  };
  consumer.on('consumer:group:join', look);
  consumer.on('consumer:group:rebalance', look);
  const stream = await consumer.consume({
    topics: [...request.topics],
    autocommit: 200,
    mode: 'committed',
    fallbackMode: 'earliest',
  });
  stream.on('error', (error) => log('ERROR', `${name}: told ${error}`));
  stream.on('data', ({ topic, partition, offset }) => member.took(topic, partition, Number(offset)));
  look();
  return { leave: () => consumer.close(true) };
});

serve({
  open: (request: Parameters<Senders['open']>[0]) => senders.open(request),
  start: (request: Parameters<Senders['start']>[0]) => senders.start(request),
  finish: (request: Parameters<Senders['finish']>[0]) => senders.finish(request),
  close: () => senders.close(),
  consume: (request: ConsumeRequest) => members.consume(request),
  received: () => members.received(),
  leave: (request: Parameters<Members['leave']>[0]) => members.leave(request),
});
