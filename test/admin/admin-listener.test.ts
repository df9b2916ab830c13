import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { ADMIN_ENDPOINTS } from '../../src/admin/endpoints.ts';
import { clientView, FakeRoute, routeView, upstreamView } from '../support/fake-route.ts';
import { adminOn, ask, askJson } from './listeners.ts';

function twoRoutes(): FakeRoute[] {
  const orders = new FakeRoute('orders');
  orders.upstreamList = [upstreamView({ id: 'u1' }), upstreamView({ id: 'u2', broker: '2', state: 'using' })];
  orders.clientList = [clientView({ id: 'c1' }), clientView({ id: 'c2', broker: '2', state: 'attached' })];
  orders.report = {
    chosen: ['u1', 'u3'],
    matched: 2,
    released: 1,
    skipped: [{ id: 'u2', reason: 'in use' }],
    failed: 0,
  };
  const billing = new FakeRoute('billing');
  billing.upstreamList = [upstreamView({ id: 'u9', route: 'billing', broker: '2' })];
  billing.clientList = [clientView({ id: 'c9', route: 'billing', broker: null, state: 'idle' })];
  billing.report = { chosen: ['u1'], matched: 1, released: 0, skipped: [], failed: 1 };
  return [orders, billing];
}

const ids = (list: unknown): unknown[] => (Array.isArray(list) ? list.map(({ id }) => id) : []);

t.test('GET /v1/routes answers what the routes say of themselves and what happened lately', async (t) => {
  const { url, routes } = await adminOn(t);
  const { status, body } = await ask(`${url}/v1/routes`);
  t.equal(status, 200);
  t.strictSame(body, { routes: [routes[0]?.view()], recent: [{ event: 'pool.asleep' }] });
});

t.test('lists are filtered by route, broker and state, and cut at a limit that is told', async (t) => {
  const { url } = await adminOn(t, twoRoutes());
  const upstreams = async (query: string) => ids((await ask(`${url}/v1/upstreams${query}`)).body.upstreams);
  const clients = async (query: string) => ids((await ask(`${url}/v1/clients${query}`)).body.clients);
  t.strictSame(await upstreams(''), ['u1', 'u2', 'u9']);
  t.strictSame(await upstreams('?route=billing'), ['u9']);
  t.strictSame(await upstreams('?broker=2'), ['u2', 'u9']);
  t.strictSame(await upstreams('?route=orders&broker=2&state=using'), ['u2']);
  t.strictSame(await upstreams('?state=idle_marked'), ['u1', 'u9']);
  t.strictSame(await clients('?state=attached'), ['c2']);
  t.strictSame(await clients('?broker=1'), ['c1']);
  const { body } = await ask(`${url}/v1/upstreams?limit=1`);
  t.equal(body.total, 3);
  t.strictSame(ids(body.upstreams), ['u1']);
  const view = (await ask(`${url}/v1/upstreams?route=billing`)).body;
  t.strictSame(view, { total: 1, upstreams: [upstreamView({ id: 'u9', route: 'billing', broker: '2' })] });
});

t.test('what a query does not know is refused and named, never ignored', async (t) => {
  const { url } = await adminOn(t, twoRoutes());
  const refused = async (path: string, code: string, message: RegExp) => {
    const { status, body } = await ask(url + path);
    t.equal(status, code === 'ROUTE_UNKNOWN' ? 404 : 400, path);
    t.match(body, { code, message, remedy: /\w/ }, path);
  };
  await refused('/v1/upstreams?state=sleeping', 'REQUEST_INVALID', /state/);
  await refused('/v1/clients?state=released', 'REQUEST_INVALID', /state/);
  await refused('/v1/upstreams?rout=orders', 'REQUEST_INVALID', /rout/);
  await refused('/v1/upstreams?limit=0', 'REQUEST_INVALID', /limit/);
  await refused('/v1/upstreams?limit=x', 'REQUEST_INVALID', /limit/);
  await refused('/v1/upstreams?route=a&route=b', 'REQUEST_INVALID', /route/);
  await refused('/v1/version?x=1', 'REQUEST_INVALID', /x/);
  await refused('/v1/upstreams?route=nope', 'ROUTE_UNKNOWN', /"nope".*orders, billing/);
});

t.test('GET /v1/config is what it was given, GET /v1/version says who runs', async (t) => {
  const { url } = await adminOn(t);
  t.strictSame((await ask(`${url}/v1/config`)).body, { routes: [{ name: 'orders' }] });
  t.match((await ask(`${url}/v1/version`)).body, {
    version: '1.2.3',
    node: process.version,
    state: 'ready',
    startedAt: /^\d{4}-/,
    uptimeSeconds: Number,
    logLevel: 'info',
  });
});

t.test('no GET changes anything', async (t) => {
  const routes = twoRoutes();
  const { url, level } = await adminOn(t, routes);
  for (const { path } of ADMIN_ENDPOINTS) await ask(url + path.replace(':id', 'u1'));
  for (const route of routes) t.strictSame(route.calls, []);
  t.equal(level.level, 'info');
});

t.test('POST /v1/reap passes the request to every route, or to the one named, and adds the reports up', async (t) => {
  const routes = twoRoutes();
  const { url, lines } = await adminOn(t, routes);
  const all = await askJson(`${url}/v1/reap`, 'POST', { olderThanSeconds: 30 });
  t.equal(all.status, 200);
  t.strictSame(all.body, {
    chosen: ['u1', 'u3', 'u1'],
    matched: 3,
    released: 1,
    skipped: [{ id: 'u2', reason: 'in use' }],
    failed: 1,
  });
  t.strictSame(routes[0]?.calls, [['reap', { olderThanSeconds: 30, dryRun: false }]]);
  t.match(lines, [{ message: 'an operator asked for a reap', fields: { matched: 3, released: 1, skipped: 1 } }]);
  const one = await askJson(`${url}/v1/reap`, 'POST', { route: 'billing', dryRun: true });
  t.strictSame(one.body, { chosen: ['u1'], matched: 1, released: 0, skipped: [], failed: 1 });
  t.equal(routes[0]?.calls.length, 1);
  t.strictSame(routes[1]?.calls[1], ['reap', { olderThanSeconds: 0, dryRun: true }]);
  t.equal(lines.length, 1, 'a dry run is no news');
  const bare = await ask(`${url}/v1/reap`, { method: 'POST' });
  t.equal(bare.status, 200, 'without a body it means every quiet one');
});

t.test('a wrong body is refused with what is wrong, and nothing is reaped', async (t) => {
  const routes = twoRoutes();
  const { url } = await adminOn(t, routes);
  const bodies: [unknown, RegExp][] = [
    [{ olderThanSeconds: -1 }, /olderThanSeconds/],
    [{ olderThanSeconds: '30' }, /olderThanSeconds/],
    [{ olderThan: 30 }, /olderThan/],
    [{ dryRun: 'yes', route: 7 }, /route.*dryRun|dryRun.*route/],
    [[], /expected object/],
    ['reap', /expected object/],
  ];
  for (const [body, message] of bodies) {
    const answer = await askJson(`${url}/v1/reap`, 'POST', body);
    t.equal(answer.status, 400, JSON.stringify(body));
    t.match(answer.body, { code: 'REQUEST_INVALID', message, remedy: String }, JSON.stringify(body));
  }
  const json = { 'content-type': 'application/json' };
  t.match(await ask(`${url}/v1/reap`, { method: 'POST', headers: json, body: '{"dryRun": tru' }), { status: 400 });
  t.match(await ask(`${url}/v1/reap`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }), {
    status: 415,
    body: { code: 'MEDIA_TYPE_UNSUPPORTED' },
  });
  t.match(await askJson(`${url}/v1/reap`, 'POST', { route: 'x'.repeat(20_000) }), {
    status: 413,
    body: { code: 'BODY_TOO_LARGE' },
  });
  t.match(await askJson(`${url}/v1/reap`, 'POST', { route: 'nope' }), { status: 404, body: { code: 'ROUTE_UNKNOWN' } });
  for (const route of routes) t.strictSame(route.calls, []);
});

t.test('DELETE /v1/upstreams/:id condemns, with force at once, on whatever route it is', async (t) => {
  const routes = twoRoutes();
  const { url, lines } = await adminOn(t, routes);
  t.match(await ask(`${url}/v1/upstreams/u1`, { method: 'DELETE' }), {
    status: 202,
    body: { id: 'u1', condemned: true, force: false },
  });
  t.match(await ask(`${url}/v1/upstreams/u9?force=true`, { method: 'DELETE' }), { body: { force: true } });
  t.strictSame(routes[0]?.calls, [['condemnUpstream', 'u1', false]]);
  t.strictSame(routes[1]?.calls, [['condemnUpstream', 'u9', true]]);
  t.equal(lines.length, 2);
  t.match(await ask(`${url}/v1/upstreams/u7`, { method: 'DELETE' }), {
    status: 404,
    body: { code: 'UPSTREAM_UNKNOWN' },
  });
  t.match(await ask(`${url}/v1/upstreams/u1?force=yes`, { method: 'DELETE' }), { status: 400 });
  t.equal(routes[0]?.calls.length, 1);
});

t.test('DELETE /v1/clients/:id closes that client', async (t) => {
  const routes = twoRoutes();
  const { url } = await adminOn(t, routes);
  t.match(await ask(`${url}/v1/clients/c9`, { method: 'DELETE' }), { status: 202, body: { id: 'c9', closed: true } });
  t.strictSame(routes[1]?.calls, [['closeClient', 'c9']]);
  t.match(await ask(`${url}/v1/clients/c7`, { method: 'DELETE' }), { status: 404, body: { code: 'CLIENT_UNKNOWN' } });
});

t.test('PUT /v1/log-level changes the level and tells the one before; an unknown one is refused', async (t) => {
  const { url, level } = await adminOn(t);
  const changed = await askJson(`${url}/v1/log-level`, 'PUT', { level: 'debug' });
  t.strictSame(changed.body, { level: 'debug', previous: 'info' });
  t.equal(level.level, 'debug');
  const refused = await askJson(`${url}/v1/log-level`, 'PUT', { level: 'loud' });
  t.match(refused, { status: 400, body: { code: 'REQUEST_INVALID', message: /info, debug/ } });
  t.match(await askJson(`${url}/v1/log-level`, 'PUT', {}), { status: 400, body: { message: /level/ } });
  t.equal(level.level, 'debug');
});

t.test(
  'on loopback a request for another host is refused: a page whose name was re-bound to us gets nothing',
  async (t) => {
    const routes = twoRoutes();
    const { url } = await adminOn(t, routes);
    const { port } = new URL(url);
    for (const host of ['evil.example', `evil.example:${port}`, '10.0.0.1', '[fe80::1]:80', 'localhost.evil.example']) {
      const answer = await ask(`${url}/v1/routes`, { headers: { host } });
      t.match(answer, { status: 403, body: { code: 'HOST_REFUSED' } }, host);
    }
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', '127.9.9.9:1', '[::1]', `[::1]:${port}`]) {
      t.equal((await ask(`${url}/v1/routes`, { headers: { host } })).status, 200, host);
    }
    await ask(`${url}/v1/reap`, { method: 'POST', headers: { host: 'evil.example' } });
    for (const route of routes) t.strictSame(route.calls, []);
  },
);

t.test(
  'a change asked for by a page of another site is refused, and no answer allows other sites to read',
  async (t) => {
    const routes = twoRoutes();
    const { url } = await adminOn(t, routes);
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000']) {
      const answer = await ask(`${url}/v1/reap`, { method: 'POST', headers: { origin } });
      t.match(answer, { status: 403, body: { code: 'ORIGIN_REFUSED' } }, origin);
    }
    for (const route of routes) t.strictSame(route.calls, []);
    const own = await ask(`${url}/v1/reap`, { method: 'POST', headers: { origin: url } });
    t.equal(own.status, 200);
    const preflight = { origin: 'http://evil.example', 'access-control-request-method': 'DELETE' };
    for (const [method, headers] of [
      ['OPTIONS', preflight],
      ['GET', { origin: 'http://evil.example' }],
    ] as const) {
      const answer = await ask(`${url}/v1/clients/c1`, { method, headers });
      const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control'));
      t.strictSame(names, [], method);
      t.equal(answer.status, 405, method);
    }
  },
);

t.test('every endpoint of the list exists, and what does not exist is answered with the list', async (t) => {
  const routes = twoRoutes();
  const { url } = await adminOn(t, routes);
  for (const { method, path } of ADMIN_ENDPOINTS) {
    const { body } = await askJson(url + path.replace(':id', 'none'), method, undefined);
    t.notMatch(body, { code: /^(NOT_FOUND|METHOD_NOT_ALLOWED)$/ }, `${method} ${path}`);
  }
  const wrong = await ask(`${url}/v2/routes`);
  t.equal(wrong.status, 404);
  t.strictSame(
    wrong.body.endpoints,
    ADMIN_ENDPOINTS.map(({ method, path }) => `${method} ${path}`),
  );
  const method = await ask(`${url}/v1/reap`);
  t.match(method, { status: 405, headers: { allow: 'POST' }, body: { code: 'METHOD_NOT_ALLOWED' } });
  t.match(await ask(`${url}/v1/upstreams/u1`, { method: 'PUT' }), { status: 405, headers: { allow: 'DELETE' } });
  t.match(await ask(`${url}/%zz`), { status: 400, body: { code: 'REQUEST_INVALID' } });
});

t.test('a route that fails is a 500 without its details, and a log line with them', async (t) => {
  const route = new FakeRoute();
  route.reap = () => Promise.reject(new Error('secret detail'));
  const { url, lines } = await adminOn(t, [route]);
  const answer = await ask(`${url}/v1/reap`, { method: 'POST' });
  t.match(answer, { status: 500, body: { code: 'INTERNAL' } });
  t.notMatch(answer.text, /secret detail/);
  t.match(lines, [{ fields: { err: { message: 'secret detail' } } }]);
});

t.test('closing the listener ends connections in the middle of a request too', async (t) => {
  const { url, close } = await adminOn(t, [new FakeRoute()]);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const head =
    'POST /v1/reap HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n';
  socket.write(`GET /v1/version HTTP/1.1\r\nhost: localhost\r\n\r\n${head}`);
  await once(socket, 'data');
  const closed = once(socket, 'close');
  const started = performance.now();
  await close();
  await closed;
  t.ok(performance.now() - started < 5000, 'long before the request times out');
});

t.test('a state of a route is passed on unchanged', async (t) => {
  const route = new FakeRoute();
  route.state = routeView('orders', { clusterId: null });
  route.learnt = false;
  const { url } = await adminOn(t, [route]);
  t.match(await ask(`${url}/v1/routes`), { body: { routes: [{ learnt: false, clusterId: null }] } });
  t.match(await ask(`${url}/v1/version`), { body: { state: 'starting' } });
});
