/** Kafka where somebody has to say who he is: we to the brokers, clients to us, or clients to the brokers. */
import { Secret } from '../../../src/contract/credential.ts';
import { Demand } from '../../../src/contract/protocol.ts';
import { ALL_RANGES } from '../../protocols/kafka/kafka-bench.ts';
import { authenticateRequest, handshakeRequest, UserTable } from '../../protocols/kafka/sasl/sasl-application.ts';
import { authenticateAnswer, SaslBroker } from '../../protocols/kafka/sasl/sasl-broker.ts';
import { form, i16, join } from '../../protocols/kafka/wire.ts';
import { type Exchange, oneOfEach, type ProtocolSpecimen } from '../specimen.ts';
import { apiVersions, FORWARDED, kafkaSpecimen, plain, serve } from './kafka.ts';

/** One of each class, and all of a few that name brokers. */
const FEW: readonly Exchange[] = [
  ...new Set([...oneOfEach(kafkaSpecimen.exchanges), ...FORWARDED.filter(({ name }) => /v(9|16)$/.test(name))]),
];

/** Authenticates the connection, then serves it. */
function serveKnown(): (written: Buffer) => Buffer {
  const broker = new SaslBroker({ username: 'app', password: 'pencil' });
  const known = serve();
  return (written) => {
    if (broker.authenticated) return known(written);
    const answers = broker.take(written);
    if (broker.faults.length > 0) throw new Error(broker.faults.join());
    return answers;
  };
}

export const kafkaKnownToBrokers: ProtocolSpecimen = {
  ...kafkaSpecimen,
  name: 'kafka, brokers know us',
  security: { credential: { mechanism: 'PLAIN', username: 'app', password: new Secret('pencil') } },
  exchanges: FEW,
  bulky: [],
  serve: serveKnown,
};

const NEWEST_SASL = new Map([
  [17, 1],
  [36, 2],
]);
const HIDDEN = new Set(
  kafkaSpecimen.refusals.flatMap(({ bytes, reason }) => (reason === 'refused_api' ? [bytes.readInt16BE(4)] : [])),
);
const WITH_SASL = ALL_RANGES.filter(({ key }) => !HIDDEN.has(key) || NEWEST_SASL.has(key) || key === 3);
const withoutSasl = kafkaSpecimen.refusals.filter(({ bytes }) => !NEWEST_SASL.has(bytes.readInt16BE(4)));

export const kafkaKnowsUsers: ProtocolSpecimen = {
  ...kafkaSpecimen,
  name: 'kafka, users known to us',
  security: { users: new UserTable({ alice: 'secret' }), user: 'alice' },
  bulky: [],
  exchanges: FEW.map((each) => (each.name.startsWith('ApiVersions') ? apiVersions(4, WITH_SASL) : each)),
  refusals: [
    ...withoutSasl,
    {
      name: 'a token before SaslHandshake',
      bytes: authenticateRequest(2, 1, Buffer.from('x')),
      reason: 'protocol_error',
    },
    { name: 'SaslHandshake in an unknown version', bytes: handshakeRequest(2, 1, 'PLAIN'), reason: 'protocol_error' },
    { name: 'a mechanism that is not there', bytes: handshakeRequest(1, 1, 'GSSAPI'), reason: 'authentication_failed' },
  ],
};

const PASSED: readonly Exchange[] = [
  plain(
    17,
    1,
    (id) => handshakeRequest(1, id, 'SCRAM-SHA-256'),
    join(i16(0), form(false).array([form(false).string('PLAIN')])),
  ),
  {
    ...plain(36, 2, (id) => authenticateRequest(2, id, Buffer.from('token')), Buffer.alloc(0)),
    answer: (id) => authenticateAnswer(id, 0, Buffer.from('challenge')),
    seen: (id) => authenticateAnswer(id, 0, Buffer.from('challenge')),
  },
];

export const kafkaPassesSasl: ProtocolSpecimen = {
  ...kafkaSpecimen,
  name: 'kafka, clients known to brokers',
  security: { passThrough: true },
  exchanges: [
    ...[...PASSED, ...FEW.filter(({ local }) => !local)].map((each) => ({
      ...each,
      ...{ demand: Demand.pinHard, pin: 'sasl' as const },
    })),
    apiVersions(4, WITH_SASL),
  ],
  bulky: [],
  refusals: withoutSasl,
  serve: () => serve(PASSED),
};
