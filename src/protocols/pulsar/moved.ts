/** Brokers that close a producer or a consumer, for its topic is served elsewhere: clients find their way by way of us. */
import type { UpstreamSink } from '../../contract/protocol.ts';
import type { AnsweredBrokers } from './answered-brokers.ts';
import { NO_REQUEST, Type } from './commands.ts';
import { type Command, type Field, frameOf, MessageWriter, numberIn } from './message.ts';

/** `CommandTopicMigrated.ResourceType` */
const PRODUCER = 0n;

/**
 * What the client is told instead of a CLOSE_PRODUCER, CLOSE_CONSUMER or TOPIC_MIGRATED of these fields. To another
 * cluster we do not lead: of a topic that migrated it hears that it was closed, and looks it up again, here.
 *
 * @param id what the client calls its producer or consumer
 */
export function movedTo<T>(
  bytes: Buffer,
  command: Command,
  fields: readonly Field[],
  id: bigint,
  brokers: AnsweredBrokers,
  sink: UpstreamSink<T>,
): Buffer {
  if (command.type === Type.topicMigrated) {
    const type = (numberIn(fields, 2) ?? PRODUCER) === PRODUCER ? Type.closeProducer : Type.closeConsumer;
    return frameOf(type, new MessageWriter().number(1, id).number(2, NO_REQUEST));
  }
  const broker = brokers.learn(bytes, fields, 3, false, sink);
  const urls = broker === null ? null : brokers.urlsOf(broker);
  const message = new MessageWriter()
    .number(1, id)
    .number(2, numberIn(fields, 2) ?? NO_REQUEST)
    .text(3, urls?.plain)
    .text(4, urls?.secured);
  return frameOf(command.type, message);
}
