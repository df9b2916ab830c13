/** A client that asks a broker who is there, and what it is told. */
import { type CoreFixture, type Overrides, PORT_BASE, startCore } from './core-fixture.ts';
import type { FakeApp } from './fake-app.ts';

export const listener = (node: number): string => `127.0.0.1:${PORT_BASE + node}`;

export interface Asker {
  readonly core: CoreFixture;
  readonly app: FakeApp;
  /** Asks, and lets listeners be bound. */
  ask(): Promise<void>;
  /** The brokers in the answer to it, as the client sees them. */
  named(): string | undefined;
}

/** Two brokers, and a client with an open connection to the first. */
export async function asker(scope: Parameters<typeof startCore>[0], overrides: Overrides = {}): Promise<Asker> {
  const core = await startCore(scope, { brokers: 2, ...overrides });
  const app = core.connect(1);
  app.send('pool');
  // Not a sleeper: each of its questions goes to a broker.
  const ask = async (): Promise<void> => {
    app.send('pool');
    app.send('meta');
    await core.settle();
  };
  return { core, app, ask, named: () => app.answers.at(-1)?.frame.keys.get('nodes') };
}
