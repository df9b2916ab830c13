/** kafkajs behind the JSON lines that driver.ts describes. */
import { Kafka, type KafkaConfig, logLevel, Partitioners, type SASLOptions } from 'kafkajs';
import { unsecuredToken } from '../token.ts';
import type { NodeAccess } from './access.ts';
import { type ConsumeRequest, type Member, Members } from './members.ts';
import { Senders } from './senders.ts';
import { log, serve } from './serve.ts';

function sasl({ mechanism, username, password = '' }: NonNullable<NodeAccess['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
    case 'OAUTHBEARER':
      return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: unsecuredToken(username) }) };
  }
}

function accessConfig(access: NodeAccess = {}): Partial<KafkaConfig> {
  return {
    ...(access.tls === undefined ? {} : { ssl: access.tls }),
    ...(access.sasl === undefined ? {} : { sasl: sasl(access.sasl) }),
  };
}

function kafka(bootstrap: string, name: string, config: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    clientId: name,
    brokers: bootstrap.split(','),
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, timestamp: _, logger: __, ...rest } = entry.log;
      log(entry.level === logLevel.WARN ? 'WARN' : 'ERROR', `${name}: ${message} ${JSON.stringify(rest)}`);
    },
    ...config,
  });
}

/** As long as it takes, like the other libraries: with its default of five retries kafkajs gives up after ten seconds. */
const PATIENT = { retries: Number.MAX_SAFE_INTEGER, maxRetryTime: 2_000 };

const senders = new Senders(async (bootstrap, name, settings) => {
  const { acks = -1, access, ...rest } = settings;
  const config = { retry: PATIENT, ...accessConfig(access as NodeAccess | undefined) };
  const partitioning = { createPartitioner: Partitioners.DefaultPartitioner };
  const producer = kafka(bootstrap, name, config).producer({ ...partitioning, ...rest });
  await producer.connect();
  return {
    send: (topic, value) => producer.send({ topic, acks: Number(acks), messages: [{ value }] }),
    close: () => producer.disconnect(),
  };
});

const members = new Members(async (request: ConsumeRequest, name: string, member: Member) => {
  const { access, ...settings } = request.settings;
  const config = accessConfig(access as NodeAccess | undefined);
  const consumer = kafka(request.bootstrap, name, config).consumer({ groupId: request.group, ...settings });
  consumer.on('consumer.group_join', ({ payload }) => {
    member.assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => `${topic}-${partition}`),
    );
  });
  consumer.on('consumer.crash', ({ payload }) => log('ERROR', `${name}: told ${payload.error}`));
  await consumer.connect();
  await consumer.subscribe({ topics: [...request.topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => member.took(topic, partition, Number(message.offset)),
  });
  return { leave: () => consumer.disconnect() };
});

interface TransactRequest {
  readonly bootstrap: string;
  readonly name: string;
  readonly topic: string;
  readonly rounds: number;
  readonly size: number;
}

/**
 * Every other transaction is aborted. Returns what was committed and what was aborted. All go to one partition:
 * kafkajs 2.2 loses and repeats messages of a transaction that spans several, whatever lies between it and the brokers.
 */
async function transact({ bootstrap, name, topic, rounds, size }: TransactRequest): Promise<object> {
  const producer = kafka(bootstrap, name).producer({
    transactionalId: name,
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const committed: string[] = [];
  const aborted: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const values = Array.from({ length: size }, (_, index) => `${name} ${round * size + index}`);
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
    if (round % 2 === 0) {
      await transaction.commit();
      committed.push(...values);
    } else {
      await transaction.abort();
      aborted.push(...values);
    }
  }
  await producer.disconnect();
  return { committed, aborted };
}

serve({
  open: (request: Parameters<Senders['open']>[0]) => senders.open(request),
  start: (request: Parameters<Senders['start']>[0]) => senders.start(request),
  finish: (request: Parameters<Senders['finish']>[0]) => senders.finish(request),
  close: () => senders.close(),
  consume: (request: ConsumeRequest) => members.consume(request),
  received: () => members.received(),
  leave: (request: Parameters<Members['leave']>[0]) => members.leave(request),
  transact,
});
