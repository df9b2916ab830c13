/**
 * Whether the process has started and may be sent work. Once every cluster was learnt it stays ready until shutdown,
 * whatever brokers do: a sidecar that is asleep is ready.
 */
import type { RouteControl } from '../core/views.ts';

export type ProcessState = 'starting' | 'ready' | 'stopping';

export class Readiness {
  readonly #routes: () => readonly RouteControl[];
  readonly #lastFailure: (route: string) => string | undefined;
  #started = false;
  #stopping = false;

  /**
   * @param routes the routes that run; none means that they have not been made yet
   * @param lastFailure why the last dial of a route failed, in a word; undefined if none did
   */
  constructor(
    routes: () => readonly RouteControl[],
    lastFailure: (route: string) => string | undefined = () => undefined,
  ) {
    this.#routes = routes;
    this.#lastFailure = lastFailure;
  }

  /** From now on `/readyz` is 503. */
  stop(): void {
    this.#stopping = true;
  }

  get state(): ProcessState {
    if (this.#stopping) return 'stopping';
    return this.notStarted().length === 0 ? 'ready' : 'starting';
  }

  /** What the start still waits for, in words; empty once it is over, for ever. */
  notStarted(): string[] {
    if (this.#started) return [];
    const routes = this.#routes();
    if (routes.length === 0) return ['no route is listening yet'];
    const missing = routes.map((route) => route.view()).filter((view) => !view.learnt);
    this.#started = missing.length === 0;
    return missing.map(({ name, bootstrap }) => {
      const failure = this.#lastFailure(name);
      const because = failure === undefined ? '' : `, last ${failure}`;
      return `route ${name}: no broker has answered yet (${bootstrap.join(', ')}${because})`;
    });
  }

  /** Why no work should be sent, in words; empty if it may. */
  notReady(): string[] {
    return this.#stopping ? ['the process is shutting down'] : this.notStarted();
  }
}
