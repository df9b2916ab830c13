/** Who asks a bootstrap address for the topology and the versions of brokers, and when. */
import { BOOTSTRAP } from '../contract/topology.ts';
import type { BrokerPools } from './broker-pools.ts';
import type { Timer } from './clock.ts';
import type { Identity } from './identity.ts';
import type { Route } from './route.ts';

/** After losses, at most so often. */
const AT_MOST_EVERY_MILLISECONDS = 1000;

export class Learner {
  readonly #route: Route;
  readonly #pools: BrokerPools;
  #time = Number.NEGATIVE_INFINITY;
  #later: Timer | null = null;

  constructor(route: Route, pools: BrokerPools) {
    this.#route = route;
    this.#pools = pools;
  }

  /** The first one who is not known to be turned away; if all are, the first one who may be tried again. */
  get identity(): Identity {
    const { first, others } = this.#route.identities;
    const own = this.#pools.identity(first.name);
    if (others === undefined || !own.barred) return own;
    const now = this.#route.clock.now();
    let next = own.isHeld(now) ? null : own;
    for (const { name } of others) {
      const other = this.#pools.identity(name);
      if (!other.barred) return other;
      if (next === null && !other.isHeld(now)) next = other;
    }
    return next ?? own;
  }

  /** Now or as soon as it may. */
  learn(): void {
    const { protocol, clock, stopped } = this.#route;
    if (stopped || this.#later !== null) return;
    if (!protocol.asksForTopology && this.#pools.reached) return; // its clients' answers tell
    const { supply } = this.identity.get(BOOTSTRAP);
    const dials = [...supply.upstreams()];
    if (dials.some((upstream) => upstream.session.owed === 0)) return; // it has not asked yet: its answer will be new
    const wait = dials.length > 0 ? 0 : clock.now() - this.#time;
    if (wait >= AT_MOST_EVERY_MILLISECONDS) {
      this.#time = clock.now();
      supply.asked();
      supply.want();
      return;
    }
    this.#later = clock.after(AT_MOST_EVERY_MILLISECONDS - wait, () => {
      this.#later = null;
      if (this.isWanted) this.learn();
    });
  }

  /** Somebody is there who needs it, or nobody has ever learnt it. */
  get isWanted(): boolean {
    return this.#pools.clientsOpen() || !this.#route.learnt;
  }

  stop(): void {
    this.#later?.cancel();
  }
}
