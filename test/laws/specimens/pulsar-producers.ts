/** Pulsar: the producers of all clients that speak alike over one connection, and their messages. */
import { Demand } from '../../../src/contract/protocol.ts';
import { frame, payloadOf } from '../../support/pulsar/frames.ts';
import type { Exchange, ProtocolSpecimen, Refusal } from '../specimen.ts';
import { BROKER, brokerOf, inWords, OPENING_AT_BROKER, PING, REFUSALS, requestId, TOPIC } from './pulsar.ts';

/** The protocol version and the feature flags of the opening. */
const PURPOSE = 'shared:21:3';
/** Beyond what a float holds. */
const PRODUCER_ID = 2n ** 53n + 1n;
const NAME = 'granted';

/** Every name is granted and every message taken, whoever comes. */
const serve = brokerOf({}, (broker) => {
  broker.tamper = (connection, { command }) => {
    if (command.name === 'PRODUCER')
      connection.send('PRODUCER_SUCCESS', { ...granted, requestId: command.fields.requestId ?? 0n });
    else if (command.name === 'SEND')
      connection.send('SEND_RECEIPT', {
        ...{ producerId: command.fields.producerId ?? 0n, sequenceId: command.fields.sequenceId ?? 0n },
        messageId: { ledgerId: 1n, entryId: 2n },
      });
    else return false;
    return true;
  };
});

const granted = { producerName: NAME, lastSequenceId: -1n, schemaVersion: Buffer.alloc(0), ready: true };

function asking(producerId: bigint, id: bigint): Buffer {
  return frame('PRODUCER', { topic: TOPIC, producerId, requestId: id, userProvidedName: false, epoch: 0n });
}

const opening: Exchange = {
  name: 'PRODUCER',
  request: (id) => asking(PRODUCER_ID + BigInt(id), requestId(id)),
  answer: (id) => frame('PRODUCER_SUCCESS', { requestId: requestId(id), ...granted }),
  seen: (id) => frame('PRODUCER_SUCCESS', { requestId: requestId(id), ...granted }),
  local: false,
  ...{ demand: Demand.pool, pin: undefined, work: true },
};

function message(name: string, body: Buffer, producerId = PRODUCER_ID): Exchange {
  const receipt = (id: number): Buffer =>
    frame('SEND_RECEIPT', { producerId, sequenceId: BigInt(id), messageId: { ledgerId: 1n, entryId: 2n } });
  const payload = (id: number): Buffer =>
    payloadOf({ producerName: NAME, sequenceId: BigInt(id), publishTime: 1n }, body);
  return {
    name,
    request: (id) => frame('SEND', { producerId, sequenceId: BigInt(id), numMessages: 1 }, payload(id)),
    answer: receipt,
    seen: receipt,
    local: false,
    ...{ demand: Demand.pool, pin: undefined, work: true },
  };
}

const refusals: readonly Refusal[] = [
  ...REFUSALS,
  {
    name: 'a message of a producer that was never opened',
    bytes: message('', Buffer.from('x'), 99n).request(1),
    reason: 'protocol_error',
  },
];

const common = {
  ...{ protocol: 'pulsar', framed: true, refusals, serve },
  brokers: [{ node: `${BROKER.host}:${BROKER.port}`, ...BROKER }],
};
const plain = inWords('requestId', 'producerId');

export const pulsarProducers: ProtocolSpecimen = {
  ...common,
  name: 'pulsar, producers',
  multiplexing: { purpose: PURPOSE, exclusive: false, opening: OPENING_AT_BROKER, plain },
  exchanges: [opening, PING],
  bulky: [],
};

/** Every client has opened its producer first. */
export const pulsarMessages: ProtocolSpecimen = {
  ...common,
  name: 'pulsar, messages',
  multiplexing: {
    ...{ purpose: PURPOSE, exclusive: false, plain },
    opening: Buffer.concat([OPENING_AT_BROKER, asking(PRODUCER_ID, requestId(0))]),
  },
  exchanges: [message('SEND', Buffer.from('one')), message('SEND of nothing', Buffer.alloc(0)), PING],
  bulky: [message('SEND of much', Buffer.alloc(60_000, 'x'))],
};
