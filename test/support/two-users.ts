/** Alice and bob, with brokers that know them. */
import { type CoreFixture, type Overrides, startCore } from './core-fixture.ts';
import type { FakeApp } from './fake-app.ts';
import { FakeIdentities } from './fake-identities.ts';

const PASSWORDS = { alice: 'a1', bob: 'b1' };

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** @param known what brokers take instead of the right passwords, from the start */
export async function startTwo(
  t: Scope,
  overrides: Overrides = {},
  known: Readonly<Record<string, string>> = {},
): Promise<{ core: CoreFixture; identities: FakeIdentities }> {
  const identities = new FakeIdentities(PASSWORDS);
  const core = await startCore(t, {
    identities,
    prepare: ({ cluster }) => {
      cluster.users = new Map(Object.entries({ ...PASSWORDS, ...known }));
    },
    ...overrides,
  });
  return { core, identities };
}

/** What became of logins, in order. */
export function changesOf(core: CoreFixture): string[] {
  return core.eventsOf('identity.changed').map(({ identity, change }) => `${identity} ${change}`);
}

/** True if it was answered. */
export function ask(app: FakeApp): boolean {
  const id = app.send('pool');
  return app.ids.at(-1) === id;
}
