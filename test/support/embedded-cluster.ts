/** An embedded cluster that ends with its test and leaves nothing behind. */
import type { Test } from 'tap';
import { type ClusterOptions, EmbeddedCluster } from '../../src/demo/kafka/embedded-cluster.ts';

export async function startCluster(t: Test, options: ClusterOptions = {}): Promise<EmbeddedCluster> {
  const cluster = await EmbeddedCluster.start(options);
  t.teardown(async () => {
    await cluster.stop();
    const { pendingTimers, tally } = cluster;
    if (pendingTimers > 0 || tally.open > 0) throw new Error(`${pendingTimers} timers, ${tally.open} connections left`);
  });
  return cluster;
}
