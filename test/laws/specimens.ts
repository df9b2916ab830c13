import type { ProtocolSpecimen } from './specimen.ts';
import { kafkaSpecimen } from './specimens/kafka.ts';
import { tcpSpecimen } from './specimens/tcp.ts';

/** One for every protocol of the registry; a law sees to it. */
export const SPECIMENS: readonly ProtocolSpecimen[] = [kafkaSpecimen, tcpSpecimen];
