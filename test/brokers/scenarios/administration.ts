/** A tour of admin operations by Kafka's own client. */
import { Driver } from '../clients/driver.ts';
import type { Way } from '../way.ts';

export interface AdministrationOutcome {
  /** `ID HOST:PORT` of every broker, as the client was told. */
  readonly nodes: readonly string[];
  /** What each step came to. */
  readonly steps: Readonly<Record<string, unknown>>;
}

export async function administer(way: Way, prefix: string): Promise<AdministrationOutcome> {
  const driver = await Driver.start('java', way.cluster.version);
  try {
    const replicas = Math.min(3, way.cluster.nodes.length);
    const request = { bootstrap: way.bootstrap, topic: `${prefix}-tour`, group: `${prefix}-tour-group`, replicas };
    const { nodes, ...steps } = await driver.request<Record<string, unknown>>('administer', request, 120_000);
    return { nodes: nodes as string[], steps };
  } finally {
    await driver.stop();
  }
}
