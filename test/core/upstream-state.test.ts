import t from 'tap';
import { Upstream } from '../../src/core/upstream.ts';
import type { UpstreamOwner } from '../../src/core/upstream-owner.ts';
import { moved } from '../../src/core/upstream-state.ts';
import { UPSTREAM_STATES, type UpstreamState } from '../../src/core/views.ts';
import { bystander } from '../support/bystander.ts';
import { PORT_BASE } from '../support/core-fixture.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { lineProtocol } from '../support/line-protocol.ts';
import { ManualClock } from '../support/manual-clock.ts';

const REFUSED = { code: 'INVARIANT_VIOLATED' };

/** DESIGN 3, row by row: where an upstream may go from each state. Every other move is impossible. */
const MAY_BECOME: Readonly<Record<UpstreamState, readonly UpstreamState[]>> = {
  // the dial succeeded | it failed
  dialing: ['using', 'released'],
  // quiet | error, FIN, dirty, condemned
  using: ['idle_marked', 'released'],
  // lent | chosen by the detector | error, FIN, condemned, and the coarse timers
  idle_marked: ['using', 'before_release', 'released'],
  // rescued by a lease | rescued and still quiet | released
  before_release: ['using', 'idle_marked', 'released'],
  // the end
  released: [],
};

for (const from of UPSTREAM_STATES) {
  for (const to of UPSTREAM_STATES) {
    const allowed = MAY_BECOME[from].includes(to);
    t.test(`an upstream that is ${from} ${allowed ? 'may' : 'can never'} become ${to}`, async (t) => {
      if (allowed) t.equal(moved(from, to), to);
      else t.throws(() => moved(from, to), { ...REFUSED, message: new RegExp(`${from}.*${to}`) });
    });
  }
}

const ownerOfNothing: UpstreamOwner = {
  opened: () => undefined,
  quiet: () => undefined,
  named: () => undefined,
  authenticate: () => undefined,
  violated: () => undefined,
  broken: () => undefined,
  closed: () => undefined,
};

/** An upstream in this state, brought there by its own verbs. */
function upstreamIn(state: UpstreamState): Upstream {
  const network = new FakeNetwork();
  const route = lineProtocol.createRoute({
    addresses: { find: () => undefined },
    maxFrameBytes: 1000,
    portBase: PORT_BASE,
    ports: {},
    saslPassThrough: false,
    users: null,
  });
  const target = { node: '1', host: 'broker-1', port: 9092 };
  const upstream = new Upstream('u1', target, route.upstream(target, ''), new ManualClock(), ownerOfNothing, 1000);
  upstream.dialledOver(network.dial(target.host, target.port, upstream, () => undefined));
  if (state === 'dialing') return upstream;
  upstream.use(null);
  if (state === 'idle_marked' || state === 'before_release') upstream.markIdle();
  if (state === 'before_release') upstream.beforeRelease();
  if (state === 'released') upstream.release(true);
  return upstream;
}

/** Where each verb leads, by the state it finds; `null`: it throws and nothing moves. */
const VERBS: Readonly<
  Record<string, { act(upstream: Upstream): void; leadsTo: Readonly<Record<UpstreamState, UpstreamState | null>> }>
> = {
  use: {
    act: (upstream) => upstream.use(null),
    leadsTo: { dialing: 'using', using: 'using', idle_marked: 'using', before_release: 'using', released: null },
  },
  markIdle: {
    act: (upstream) => upstream.markIdle(),
    leadsTo: {
      dialing: null,
      using: 'idle_marked',
      idle_marked: null,
      before_release: 'idle_marked',
      released: null,
    },
  },
  beforeRelease: {
    act: (upstream) => upstream.beforeRelease(),
    leadsTo: { dialing: null, using: null, idle_marked: 'before_release', before_release: null, released: null },
  },
  release: {
    act: (upstream) => upstream.release(false),
    leadsTo: {
      dialing: 'released',
      using: 'released',
      idle_marked: 'released',
      before_release: 'released',
      released: null,
    },
  },
};

for (const [verb, { act, leadsTo }] of Object.entries(VERBS)) {
  t.test(`${verb} moves an upstream only where it may go`, async (t) => {
    for (const from of UPSTREAM_STATES) {
      const upstream = upstreamIn(from);
      t.equal(upstream.state, from);
      const to = leadsTo[from];
      if (to === null) t.throws(() => act(upstream), REFUSED, `${from}: refused`);
      else act(upstream);
      t.equal(upstream.state, to ?? from, `${from}: ${to ?? 'nothing moved'}`);
    }
  });
}

t.test('an upstream that owes an answer of ours is neither idle nor lent', async (t) => {
  const upstream = upstreamIn('using');
  upstream.run('check');
  t.equal(upstream.session.owed, 1);
  t.throws(() => upstream.markIdle(), REFUSED);
  t.throws(() => upstream.use(null), REFUSED);
  t.equal(upstream.state, 'using');
});

t.test('an upstream has one tenant at a time', async (t) => {
  const upstream = upstreamIn('using');
  const tenant = { ...bystander };
  upstream.use(tenant);
  t.throws(() => upstream.use({ ...bystander }), REFUSED);
  t.throws(() => upstream.use(null), REFUSED);
  t.equal(upstream.tenant, tenant);
  t.throws(() => upstream.markIdle(), REFUSED, 'and with one it is not idle');
  t.equal(upstream.leave(), tenant);
  upstream.markIdle();
});
