/** Producers of clients on a connection that is shared, opened and parked by hand. */
import { sharedPurposeOf } from '../../../src/protocols/pulsar/purposes.ts';
import type { CommandName, FieldsOf } from '../../support/pulsar/commands.ts';
import { frame, payloadOf } from '../../support/pulsar/frames.ts';
import { type Client, commandsIn, Fixture, type Link } from './session-fixture.ts';

export const TOPIC = 'persistent://public/default/orders';
export const BROKER = { node: 'b:6650', host: 'b', port: 6650 };
export const PAYLOAD = payloadOf(
  { producerName: 'p', sequenceId: 0n, publishTime: 1n },
  Buffer.from('a body of some bytes'),
);

export interface Granted {
  readonly producerId?: bigint;
  readonly name?: string;
  readonly asked?: FieldsOf<'PRODUCER'>;
  readonly schemaVersion?: Buffer;
}

export class Producing {
  readonly fixture: Fixture;
  readonly link: Link;

  constructor(options: ConstructorParameters<typeof Fixture>[0] = {}) {
    this.fixture = new Fixture(options);
    this.fixture.route.brokers.learn(BROKER, null);
    this.link = this.another();
  }

  /** One more connection for producers. */
  another(): Link {
    return this.fixture.link(sharedPurposeOf(this.client().session.connect), BROKER);
  }

  client(): Client {
    return this.fixture.client({ proxyToBrokerUrl: 'b:6650' });
  }

  /** Answers what the broker calls it. */
  opens(client: Client, tenant: string, granted: Granted = {}, link = this.link): bigint {
    const { producerId = 0n, name = `broker-${producerId}`, asked = {}, schemaVersion = Buffer.from([1]) } = granted;
    const fields = { topic: TOPIC, producerId, requestId: 1n, userProvidedName: false, ...asked };
    const written = link.asks(client, tenant, 'PRODUCER', fields);
    link.hears('PRODUCER_SUCCESS', {
      ...{ requestId: written.requestId, producerName: name, ready: true, schemaVersion },
    });
    return written.producerId;
  }

  /** The link's one producer goes, as if nobody used it. */
  parks(link = this.link): FieldsOf<'CLOSE_PRODUCER'> {
    const parked = only('CLOSE_PRODUCER', link.session.park());
    link.hears('SUCCESS', { requestId: parked.requestId ?? 0n });
    return parked;
  }
}

export function send(producerId: bigint, sequenceId: bigint): Buffer {
  return frame('SEND', { producerId, sequenceId, numMessages: 1 }, PAYLOAD);
}

/** The fields of the only command there is. */
export function only<N extends CommandName>(name: N, bytes: Buffer | null | undefined): FieldsOf<N> {
  const commands = commandsIn(bytes ?? Buffer.alloc(0));
  const [command] = commands;
  if (commands.length !== 1 || command?.name !== name)
    throw new Error(`one ${name} was expected, not ${commands.map((one) => one.name)}`);
  return command.fields as FieldsOf<N>;
}
