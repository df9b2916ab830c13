import t from 'tap';
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { startCore } from '../support/core-fixture.ts';

t.test(
  'while a bootstrap address answers and no broker does, one dial is enough to answer a first request',
  async (t) => {
    const core = await startCore(t, {
      brokers: 2,
      upstream: {
        bootstrap: [{ host: 'balancer', port: 9092 }],
        dialAddresses: { 'balancer:9092': { host: 'broker-1', port: 9092 } },
      },
    });
    for (const node of [1, 2]) {
      core.cluster.brokers.get(`${node}`)?.moveTo(`elsewhere-${node}:9092`);
      const app = core.connect(node);
      app.send('pool');
      t.ok(app.wasReset);
    }
    core.network.serve('broker-1:9092', (peer) => core.broker(1).accept(peer));
    core.network.dials.length = 0;
    const app = core.connect(BOOTSTRAP);
    app.send('hi');
    core.clock.advance(600);
    t.equal(app.answers.length, 1);
    const dials = core.network.dials.filter((address) => address === 'broker-1:9092').length;
    t.ok(dials <= 2, `${dials} dials`);
  },
);
