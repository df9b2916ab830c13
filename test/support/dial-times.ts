/** When the product dials, and where to. */
import type { CoreFixture } from './core-fixture.ts';

/** Dials from now on; times in seconds from now. */
export function watchDials(core: CoreFixture): { readonly address: string; readonly second: number }[] {
  const found: { address: string; second: number }[] = [];
  const start = core.clock.now();
  core.network.spy = {
    dialled: ({ remote }) => void found.push({ address: remote, second: (core.clock.now() - start) / 1000 }),
    wrote: () => undefined,
    read: () => undefined,
  };
  return found;
}
