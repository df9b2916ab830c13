import { createServer } from 'node:net';
import t from 'tap';
import { AddressError } from '../../src/admin/address-error.ts';
import { Readiness } from '../../src/admin/readiness.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { readExposition } from '../support/exposition.ts';
import { FakeRoute, routeView } from '../support/fake-route.ts';
import { ask, healthOn } from './listeners.ts';

const PROBES = ['livez', 'readyz', 'startupz'] as const;

async function statuses(url: string): Promise<number[]> {
  return Promise.all(PROBES.map(async (probe) => (await ask(`${url}/${probe}`)).status));
}

t.test('until every cluster was learnt once the process is alive, but neither started nor ready', async (t) => {
  const orders = new FakeRoute('orders');
  const billing = new FakeRoute('billing');
  orders.learnt = false;
  billing.learnt = false;
  const { url } = await healthOn(t, [orders, billing]);
  t.strictSame(await statuses(url), [200, 503, 503]);
  orders.learnt = true;
  t.strictSame(await statuses(url), [200, 503, 503], 'one of two is not enough');
  billing.learnt = true;
  t.strictSame(await statuses(url), [200, 200, 200]);
});

t.test('an answer of 503 says in words what is waited for', async (t) => {
  const route = new FakeRoute('orders');
  route.learnt = false;
  const { url, readiness } = await healthOn(t, [route]);
  const why = ['route orders: no broker has answered yet (broker-1:9092, broker-2:9092)'];
  t.strictSame((await ask(`${url}/readyz`)).body, { ok: false, why });
  t.strictSame((await ask(`${url}/startupz`)).body, { ok: false, why });
  readiness.stop();
  t.strictSame((await ask(`${url}/readyz`)).body, { ok: false, why: ['the process is shutting down'] });
});

t.test('an answer of 503 says why the last dial failed', async (t) => {
  const route = new FakeRoute('orders');
  route.learnt = false;
  const readiness = new Readiness(
    () => [route],
    (name) => (name === 'orders' ? 'authentication_failed' : undefined),
  );
  const { url } = await healthOn(t, [route], { readiness });
  const why = ['route orders: no broker has answered yet (broker-1:9092, broker-2:9092, last authentication_failed)'];
  t.strictSame((await ask(`${url}/readyz`)).body, { ok: false, why });
});

t.test('before the routes are made nothing is ready', async (t) => {
  const { url } = await healthOn(t, []);
  t.strictSame(await statuses(url), [200, 503, 503]);
});

t.test('once learnt it stays ready whatever brokers do: a sidecar that is asleep is ready', async (t) => {
  const route = new FakeRoute('orders');
  const { url } = await healthOn(t, [route]);
  t.strictSame(await statuses(url), [200, 200, 200]);
  route.learnt = false;
  route.state = routeView('orders', { brokers: [] });
  t.strictSame(await statuses(url), [200, 200, 200]);
});

t.test('during shutdown it is alive and started, but not ready', async (t) => {
  const { url, readiness } = await healthOn(t, [new FakeRoute()]);
  await statuses(url);
  readiness.stop();
  t.strictSame(await statuses(url), [200, 503, 200]);
  t.equal(readiness.state, 'stopping');
});

t.test('probes and scrapes change nothing and ask for no connection', async (t) => {
  const route = new FakeRoute();
  const metrics = new Metrics(['orders'], () => [route]);
  const { url } = await healthOn(t, [route], { metrics });
  for (let i = 0; i < 5; i++) {
    await statuses(url);
    await ask(`${url}/metrics`);
  }
  t.strictSame(route.calls, []);
});

t.test('metrics are served as Prometheus text, two scrapes at once included', async (t) => {
  const metrics = new Metrics(['orders'], () => [new FakeRoute()]);
  const { url } = await healthOn(t, [new FakeRoute()], { metrics });
  const answers = await Promise.all([ask(`${url}/metrics`), ask(`${url}/metrics`)]);
  for (const { status, headers, text } of answers) {
    t.equal(status, 200);
    t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    t.ok(readExposition(text).has('slackwater_client_connections'));
  }
});

t.test('a scrape that fails is a 500 in the usual shape and one log line', async (t) => {
  const metrics = { contentType: 'text/plain', render: () => Promise.reject(new Error('broken')) };
  const { url, lines } = await healthOn(t, [], { metrics });
  const { status, body } = await ask(`${url}/metrics`);
  t.equal(status, 500);
  t.match(body, { code: 'INTERNAL', message: String, remedy: String });
  t.notMatch(JSON.stringify(body), /broken/, 'what went wrong inside is for the log only');
  t.match(lines, [{ fields: { err: { message: 'broken' } }, message: 'a request to a listener of ours failed' }]);
});

t.test('a wrong path lists the endpoints, a wrong method the right ones', async (t) => {
  const { url } = await healthOn(t, []);
  const wrong = await ask(`${url}/healthz`);
  t.equal(wrong.status, 404);
  t.match(wrong.body, { code: 'NOT_FOUND', endpoints: ['GET /livez', 'GET /readyz', 'GET /startupz', 'GET /metrics'] });
  const method = await ask(`${url}/readyz`, { method: 'DELETE' });
  t.equal(method.status, 405);
  t.equal(method.headers.allow, 'GET');
  t.match(method.body, { code: 'METHOD_NOT_ALLOWED' });
});

t.test('an address in use is an error that names the key and the address', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await healthOn(t, [], { listen: { host: '127.0.0.1', port } }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.type(error, AddressError);
  t.match(error, { code: 'ADDRESS_UNAVAILABLE', key: 'health.listen', address: `127.0.0.1:${port}` });
  t.match(String(error), /health\.listen: 127\.0\.0\.1:\d+ cannot be bound: .*EADDRINUSE/);
});

t.test('a wildcard address is told as one that can be used', async (t) => {
  const { url } = await healthOn(t, [], { listen: { host: '0.0.0.0', port: 0 } });
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.equal((await ask(`${url}/livez`)).status, 200);
});
