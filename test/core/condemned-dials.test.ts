import t from 'tap';
import { startCore } from '../support/core-fixture.ts';

t.test('a dial that is condemned by force ends at once', async (t) => {
  const core = await startCore(t);
  core.network.silence(core.broker().address);
  core.connect().send('pool');
  const [view] = core.control.upstreams();
  t.equal(view?.state, 'dialing');
  core.control.condemnUpstream(`${view?.id}`, true);
  core.pump();
  t.notOk(core.control.upstreams().some(({ id }) => id === view?.id));
});
