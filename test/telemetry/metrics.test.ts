import t from 'tap';
import { CLOSE_REASONS, DIAL_FAILURES, RELEASE_REASONS } from '../../src/contract/reasons.ts';
import { FAMILIES } from '../../src/telemetry/families.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { readExposition, sampleOf } from '../support/exposition.ts';
import { FakeRoute, routeFigures, routeView } from '../support/fake-route.ts';

const CERTIFICATES = [
  { route: 'orders', use: 'upstream_ca', expiry: 3000 },
  { route: 'orders', use: 'upstream_ca', expiry: 2000 },
  { route: '', use: 'admin_server', expiry: 4000 },
];

async function scrape(metrics: Metrics) {
  return readExposition(await metrics.render());
}

t.test('a scrape is valid exposition text and contains every family with its type and help', async (t) => {
  const families = await scrape(new Metrics(['orders'], () => [new FakeRoute()]));
  for (const [name, { type, help }] of Object.entries(FAMILIES)) {
    t.equal(families.get(name)?.type, type, name);
    t.equal(families.get(name)?.help, help, name);
  }
  t.ok(families.has('process_resident_memory_bytes'), 'the figures of the process are there too');
});

t.test('every sample carries exactly the labels of its family', async (t) => {
  const metrics = new Metrics(
    ['orders'],
    () => [new FakeRoute()],
    () => CERTIFICATES,
  );
  const families = await scrape(metrics);
  for (const [name, { labels }] of Object.entries(FAMILIES)) {
    const samples = families.get(name)?.samples ?? [];
    t.ok(samples.length > 0, `${name} has series`);
    for (const sample of samples) {
      t.strictSame(
        Object.keys(sample.labels)
          .filter((label) => label !== 'le')
          .sort(),
        [...labels].sort(),
        sample.name,
      );
    }
  }
});

t.test('of several certificates of one kind the first to expire counts, and of those that are gone none', async (t) => {
  const name = 'slackwater_certificate_expiry_timestamp_seconds';
  let certificates = CERTIFICATES;
  const metrics = new Metrics(
    ['orders'],
    () => [],
    () => certificates,
  );
  const families = await scrape(metrics);
  t.equal(sampleOf(families, name, { route: 'orders', certificate: 'upstream_ca' }), 2000);
  t.equal(sampleOf(families, name, { route: '', certificate: 'admin_server' }), 4000);
  certificates = [];
  t.equal((await scrape(metrics)).get(name)?.samples.length, 0);
});

t.test('changes of identities are counted by what became of them, from 0 on', async (t) => {
  const name = 'slackwater_identity_changes_total';
  const metrics = new Metrics(['orders'], () => []);
  const event = { type: 'identity.changed', route: 'orders', identity: 'ann', detail: '' } as const;
  metrics.observe({ ...event, change: 'refused' });
  metrics.observe({ ...event, change: 'refused' });
  const families = await scrape(metrics);
  for (const [change, count] of Object.entries({ read: 0, accepted: 0, refused: 2, unreadable: 0 })) {
    t.equal(sampleOf(families, name, { route: 'orders', change }), count);
  }
});

t.test('before the first event every reason of every known route and broker is there at 0', async (t) => {
  const families = await scrape(new Metrics(['orders', 'billing'], () => [new FakeRoute()]));
  for (const route of ['orders', 'billing']) {
    for (const reason of CLOSE_REASONS) {
      t.equal(sampleOf(families, 'slackwater_client_connections_closed_total', { route, reason }), 0);
    }
  }
  for (const broker of ['bootstrap', '1', '2', '3']) {
    const labels = { route: 'orders', broker };
    for (const reason of RELEASE_REASONS) {
      t.equal(sampleOf(families, 'slackwater_upstream_connections_closed_total', { ...labels, reason }), 0);
    }
    for (const reason of DIAL_FAILURES) {
      t.equal(sampleOf(families, 'slackwater_upstream_dial_failures_total', { ...labels, reason }), 0);
    }
    t.equal(sampleOf(families, 'slackwater_upstream_connections', { ...labels, state: 'dialing' }), 0);
  }
});

t.test('what the core counts is exported as it stands, scrape after scrape', async (t) => {
  const route = new FakeRoute();
  const metrics = new Metrics(['orders'], () => [route]);
  await scrape(metrics);
  route.numbers = routeFigures({ bytesFromClients: 5000, requests: new Map([['Produce', 13]]), reaped: 8 });
  route.state = routeView('orders', { clients: { idle: 0, waiting: 0, attached: 1, parked: 2 } });
  const families = await scrape(metrics);
  t.equal(sampleOf(families, 'slackwater_bytes_total', { route: 'orders', direction: 'from_clients' }), 5000);
  t.equal(sampleOf(families, 'slackwater_bytes_total', { route: 'orders', direction: 'to_clients' }), 2000);
  t.equal(sampleOf(families, 'slackwater_requests_total', { route: 'orders', api: 'Produce' }), 13);
  t.equal(sampleOf(families, 'slackwater_absorbed_total', { route: 'orders', api: 'ApiVersions' }), 3);
  t.equal(sampleOf(families, 'slackwater_reaped_total', { route: 'orders' }), 8);
  t.equal(sampleOf(families, 'slackwater_client_connections', { route: 'orders', state: 'parked' }), 2);
  t.equal(sampleOf(families, 'slackwater_clients_pinned', { route: 'orders', reason: 'acks_zero' }), 1);
  t.equal(sampleOf(families, 'slackwater_lease_waiters', { route: 'orders' }), 1);
  t.equal(sampleOf(families, 'slackwater_connections_saved', { route: 'orders', by: 'reaping' }), 40);
  t.equal(sampleOf(families, 'slackwater_connections_saved', { route: 'orders', by: 'sharing' }), 10);
  const using = { route: 'orders', broker: '1', state: 'using' };
  t.equal(sampleOf(families, 'slackwater_upstream_connections', using), 1);
});

t.test('a broker that left has no upstream gauges any more', async (t) => {
  const route = new FakeRoute();
  const metrics = new Metrics(['orders'], () => [route]);
  await scrape(metrics);
  route.state = routeView('orders', { brokers: [] });
  route.numbers = routeFigures({ upstreams: new Map() });
  const families = await scrape(metrics);
  const labels = { route: 'orders', broker: '1', state: 'using' };
  t.equal(sampleOf(families, 'slackwater_upstream_connections', labels), undefined);
});

t.test('a distribution of the core becomes a cumulated histogram', async (t) => {
  const route = new FakeRoute();
  for (const seconds of [0.005, 0.05, 0.05, 7]) route.numbers.resumeSeconds.observe(seconds);
  const families = await scrape(new Metrics(['orders'], () => [route]));
  const bucket = (le: string) =>
    sampleOf(families, 'slackwater_resume_seconds', { route: 'orders', le }, 'slackwater_resume_seconds_bucket');
  t.strictSame([bucket('0.01'), bucket('0.1'), bucket('1'), bucket('+Inf')], [1, 3, 3, 4]);
  const labels = { route: 'orders' };
  t.equal(sampleOf(families, 'slackwater_resume_seconds', labels, 'slackwater_resume_seconds_count'), 4);
  t.equal(sampleOf(families, 'slackwater_resume_seconds', labels, 'slackwater_resume_seconds_sum'), 7.105);
});

t.test('events are counted under their route, broker and reason', async (t) => {
  const metrics = new Metrics(['orders'], () => [new FakeRoute()]);
  const at = { route: 'orders', broker: '1' };
  metrics.observe({ type: 'client.connected', ...at, client: 'c1', remote: '127.0.0.1:50000' });
  const closed = { client: 'c1', remote: '127.0.0.1:50000', reason: 'stalled', detail: '', ageSeconds: 1 } as const;
  metrics.observe({ type: 'client.disconnected', ...at, ...closed });
  metrics.observe({
    type: 'upstream.connected',
    ...at,
    identity: '',
    upstream: 'u1',
    address: 'b:1',
    dialSeconds: 0.003,
  });
  const failed = { identity: '', address: 'b:1', reason: 'refused', detail: '', retrySeconds: 1 } as const;
  metrics.observe({ type: 'upstream.dial_failed', ...at, ...failed });
  const released = { upstream: 'u1', reason: 'idle', detail: '', ageSeconds: 9, idleSeconds: 9, opened: true } as const;
  metrics.observe({ type: 'upstream.released', ...at, ...released });
  metrics.observe({ type: 'listener.bind_failed', ...at, detail: 'brokers.portBase' });
  metrics.observe({ type: 'invariant.violated', route: 'orders', detail: 'x' });
  const families = await scrape(metrics);
  const one = (name: string, labels: Record<string, string>, sample = name) =>
    t.equal(sampleOf(families, name, labels, sample), 1, sample);
  one('slackwater_client_connections_opened_total', { route: 'orders' });
  one('slackwater_client_connections_closed_total', { route: 'orders', reason: 'stalled' });
  one('slackwater_upstream_connections_opened_total', at);
  one('slackwater_upstream_dial_seconds', { ...at, le: '0.005' }, 'slackwater_upstream_dial_seconds_bucket');
  one('slackwater_upstream_dial_failures_total', { ...at, reason: 'refused' });
  one('slackwater_upstream_connections_closed_total', { ...at, reason: 'idle' });
  one('slackwater_listener_bind_failures_total', { route: 'orders' });
  one('slackwater_invariant_violations_total', {});
});

t.test(
  'of several routes the detector that has not run for longest is told, and one that never ran hides nothing',
  async (t) => {
    const routes = ['a', 'b', 'c'].map((name) => new FakeRoute(name));
    for (const [index, seconds] of [1_790_000_100, 1_790_000_050, 0].entries()) {
      const route = routes[index];
      if (route !== undefined) route.numbers = routeFigures({ detectorLastRunSeconds: seconds });
    }
    const families = await scrape(new Metrics(['a', 'b', 'c'], () => routes));
    t.equal(sampleOf(families, 'slackwater_reaper_last_run_timestamp_seconds', {}), 1_790_000_050);
  },
);

t.test(
  'a route with a thousand brokers has at most 256 label values and the value other, which holds the rest',
  async (t) => {
    const route = new FakeRoute();
    const one = { dialing: 0, using: 1, idle_marked: 0, before_release: 0, released: 0 };
    const upstreams = new Map(Array.from({ length: 1000 }, (_, i) => [`b${i}:9092`, one] as const));
    route.numbers = routeFigures({ upstreams });
    route.state = routeView('orders', { brokers: [] });
    const metrics = new Metrics(['orders'], () => [route]);
    const families = await scrape(metrics);
    const using = families
      .get('slackwater_upstream_connections')
      ?.samples.filter(({ labels }) => labels.state === 'using');
    t.equal(using?.length, 257);
    t.equal(
      using?.reduce((sum, { value }) => sum + value, 0),
      1000,
    );
    for (let i = 0; i < 1000; i++) {
      const at = { route: 'orders', broker: `b${i}:9092` };
      metrics.observe({
        type: 'upstream.connected',
        ...at,
        identity: '',
        upstream: 'u',
        address: 'x',
        dialSeconds: 0.1,
      });
    }
    const opened = (await scrape(metrics)).get('slackwater_upstream_connections_opened_total')?.samples;
    t.equal(opened?.length, 257, 'events share the bound with the gauges');
  },
);

t.test('names that need escaping stay one readable label', async (t) => {
  const route = new FakeRoute('a"b\\c\nd');
  route.state = routeView(route.name);
  const families = await scrape(new Metrics([route.name], () => [route]));
  t.equal(sampleOf(families, 'slackwater_lease_waiters', { route: route.name }), 1);
  t.equal(
    sampleOf(families, 'slackwater_lease_wait_seconds', { route: route.name }, 'slackwater_lease_wait_seconds_count'),
    0,
  );
});
