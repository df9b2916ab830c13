/** Every protocol there is: a folder and one line. */
import type { Protocol } from '../contract/protocol.ts';
import { kafka } from './kafka/kafka.ts';
import { pulsar } from './pulsar/pulsar.ts';
import { tcp } from './tcp/tcp.ts';

export const PROTOCOLS: readonly Protocol[] = [kafka, pulsar, tcp];

/** @throws {Error} if there is none of that name; the configuration's check comes first */
export function protocolNamed(name: string): Protocol {
  const protocol = PROTOCOLS.find((each) => each.name === name);
  if (protocol === undefined) throw new Error(`there is no protocol ${name}`);
  return protocol;
}
