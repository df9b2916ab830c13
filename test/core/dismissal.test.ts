/** A client that has failed to say who it is. */
import t from 'tap';
import { type ClientSession, type Protocol, Verdict } from '../../src/contract/protocol.ts';
import { startCore } from '../support/core-fixture.ts';
import { lineProtocol } from '../support/line-protocol.ts';

/** Refuses whatever is said, with a last word. */
const unimpressed: Protocol = {
  name: 'line',
  createRoute: (context) => {
    const route = lineProtocol.createRoute(context);
    const client = route.client.bind(route);
    route.client = (...about): ClientSession =>
      Object.defineProperties(client(...about), {
        inspect: { value: () => Verdict.dismiss },
        answer: { value: () => Buffer.from('ok no 0\n') },
        closeReason: { value: 'authentication_failed' },
        closeDetail: { value: 'wrong' },
      });
    return route;
  },
};

t.test('it is told a tenth of a second later, once, and nothing else that it says is looked at', async (t) => {
  const core = await startCore(t, { protocol: unimpressed });
  const app = core.connect();
  app.write('guess');
  core.pass(0.09);
  t.strictSame(app.ids, []);
  t.ok(app.isOpen);
  app.write('another guess');
  core.pass(0.02);
  t.strictSame(app.ids, ['no']);
  t.ok(app.wasEnded);
  t.strictSame(core.disconnected, ['authentication_failed']);
});

t.test('one that goes meanwhile is forgotten', async (t) => {
  const core = await startCore(t, { protocol: unimpressed });
  const app = core.connect();
  app.write('guess');
  app.reset();
  core.pass(1);
  t.strictSame(core.disconnected, ['client_reset']);
  t.strictSame(core.network.faults, []);
});
