/** Opaque streams: whatever is said is passed on. The server repeats what it hears. */
import { Demand } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import type { Exchange, ProtocolSpecimen } from '../specimen.ts';

function said(name: string, text: string): Exchange {
  const bytes = (): Buffer => Buffer.from(text, 'latin1');
  return {
    ...{ name, request: bytes, answer: bytes, seen: bytes },
    ...{ local: false, demand: Demand.pinHard, pin: 'opaque', work: true },
  };
}

export const tcpSpecimen: ProtocolSpecimen = {
  protocol: 'tcp',
  name: 'tcp',
  framed: false,
  exchanges: [
    said('one byte', 'x'),
    said('a line', 'PING\r\n'),
    said('all bytes', String.fromCharCode(0, 255, 127, 128)),
  ],
  bulky: [said('a file', 'x'.repeat(60_000))],
  refusals: [],
  brokers: [{ node: BOOTSTRAP, host: 'server', port: 7 }],
  serve: () => (written) => Buffer.from(written),
};
