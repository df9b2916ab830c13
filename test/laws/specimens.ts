import type { ProtocolSpecimen } from './specimen.ts';
import { kafkaSpecimen } from './specimens/kafka.ts';
import { kafkaKnownToBrokers, kafkaKnowsUsers, kafkaPassesSasl } from './specimens/kafka-sasl.ts';
import { pulsarQuestions } from './specimens/pulsar.ts';
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
