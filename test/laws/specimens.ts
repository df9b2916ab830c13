import type { ProtocolSpecimen } from './specimen.ts';
import { kafkaSpecimen } from './specimens/kafka.ts';
import { kafkaKnownToBrokers, kafkaKnowsUsers, kafkaPassesSasl } from './specimens/kafka-sasl.ts';
import { pulsarOwnConnections, pulsarQuestions } from './specimens/pulsar.ts';
import { tcpSpecimen } from './specimens/tcp.ts';

/** At least one for every protocol of the registry; a law sees to it. */
export const SPECIMENS: readonly ProtocolSpecimen[] = [
  kafkaSpecimen,
  kafkaKnownToBrokers,
  kafkaKnowsUsers,
  kafkaPassesSasl,
  pulsarQuestions,
  tcpSpecimen,
];

/** Those whose connections belong to one client each are for laws of a whole sidecar, which dials them. */
export const WHOLE_SPECIMENS: readonly ProtocolSpecimen[] = [...SPECIMENS, pulsarOwnConnections];
