/** What happens to brokers. Each returns once the cluster is whole again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Judge } from '../judge.ts';
import type { KafkaCluster } from '../kafka-cluster.ts';

/** SIGKILL, and a start some seconds later. */
export async function killAndRevive(
  cluster: KafkaCluster,
  judge: Judge,
  topics: readonly string[],
  options: { readonly broker: number; readonly deadSeconds: number },
): Promise<void> {
  await cluster.kill(options.broker);
  await pause(options.deadSeconds * 1000);
  await cluster.revive(options.broker);
  await judge.whole(topics);
}

/** SIGSTOP: connections stay, and nothing answers. */
export async function freeze(
  cluster: KafkaCluster,
  judge: Judge,
  topics: readonly string[],
  options: { readonly broker: number; readonly seconds: number },
): Promise<void> {
  cluster.node(options.broker).signal('SIGSTOP');
  try {
    await pause(options.seconds * 1000);
  } finally {
    cluster.node(options.broker).signal('SIGCONT');
  }
  await judge.whole(topics);
}

/** One more broker, which then leads every other partition. */
export async function grow(cluster: KafkaCluster, judge: Judge, topics: readonly string[]): Promise<number> {
  const { id } = await cluster.add();
  for (const topic of topics) {
    const states = Object.entries(await judge.partitions([topic]));
    const moved = states.filter((_, index) => index % 2 === 0);
    await judge.place(
      topic,
      Object.fromEntries(moved.map(([name, { replicas }]) => [name, [id, ...replicas.slice(0, -1)]])),
    );
  }
  return id;
}
