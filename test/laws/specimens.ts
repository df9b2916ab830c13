import type { ProtocolSpecimen } from './specimen.ts';
import { kafkaSpecimen } from './specimens/kafka.ts';
import { kafkaKnownToBrokers, kafkaKnowsUsers, kafkaPassesSasl } from './specimens/kafka-sasl.ts';
import { pulsarOwnConnections, pulsarQuestions } from './specimens/pulsar.ts';
import { pulsarMessages, pulsarProducers } from './specimens/pulsar-producers.ts';
import { tcpSpecimen } from './specimens/tcp.ts';

/** At least one for every protocol of the registry; a law sees to it. */
export const SPECIMENS: readonly ProtocolSpecimen[] = [
  kafkaSpecimen,
  kafkaKnownToBrokers,
  kafkaKnowsUsers,
  kafkaPassesSasl,
  pulsarQuestions,
  pulsarProducers,
  pulsarMessages,
  tcpSpecimen,
];

/**
 * For laws of a whole sidecar: those whose connections belong to one client each are for them alone, and clients whose
 * first words need a connection already are not for them.
 */
export const WHOLE_SPECIMENS: readonly ProtocolSpecimen[] = [
  ...SPECIMENS.filter((each) => each !== pulsarMessages),
  pulsarOwnConnections,
];
