import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Secret } from '../../src/contract/credential.ts';
import { LoginError } from '../../src/core/login.ts';
import { TokenCache } from '../../src/identity/token-cache.ts';
import { fetchToken, nameOf, type TokenGrant } from '../../src/identity/token-endpoint.ts';
import { authority, certify } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/until.ts';

const SECRET = 'planted secret:+&é';

function grant(url: string): TokenGrant {
  return { url, clientId: 'an app', clientSecret: new Secret(SECRET), scope: 'kafka read', authorities: [] };
}

async function endpoint(t: Test, answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const clock = new ManualClock();
  const wanted = grant(`http://127.0.0.1:${port}/token`);
  return {
    clock,
    server,
    port,
    fetch: (signal = new AbortController().signal) => fetchToken(wanted, clock, signal),
    cache: new TokenCache({
      clock,
      random: () => 0.5,
      origin: nameOf(wanted),
      fetch: (signal) => fetchToken(wanted, clock, signal),
    }),
  };
}

const json =
  (body: unknown, status = 200): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

t.test('the grant is asked for as RFC 6749 says it, with a form and basic authentication', async (t) => {
  const seen: Record<string, unknown>[] = [];
  const { fetch } = await endpoint(t, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, body, headers: request.headers });
      response.end(JSON.stringify({ access_token: 'ab.c~d-_+/e=', token_type: 'Bearer', expires_in: 300 }));
    });
  });
  const { token, lifeMilliseconds } = await fetch();
  t.equal(token.reveal(), 'ab.c~d-_+/e=');
  t.equal(lifeMilliseconds, 300_000);
  t.match(seen, [
    {
      method: 'POST',
      url: '/token',
      body: 'grant_type=client_credentials&scope=kafka+read',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('an+app:planted+secret%3A%2B%26%C3%A9').toString('base64')}`,
        accept: 'application/json',
      },
    },
  ]);
});

t.test('an answer that is no token is told by host, status and error code, and nothing else of it', async (t) => {
  const cases: readonly (readonly [RequestListener, RegExp])[] = [
    [
      json({ error: 'invalid_client', error_description: SECRET }, 401),
      /has answered 401 invalid_client: check client/,
    ],
    [json({ error: SECRET }, 400), /has answered 400: check client id, secret and scope$/],
    [json({ error: 'temporarily_unavailable' }, 503), /has answered 503 temporarily_unavailable$/],
    [json({ access_token: SECRET.repeat(9000) }), /more than 65536 bytes$/],
    [json({ access_token: SECRET, token_type: 'bearer' }), /is not a bearer token: it holds other characters$/],
    [json({ access_token: 'abc', token_type: 'mac' }), /a token that is not a bearer token$/],
    [json({ token: SECRET }), /without an access_token$/],
    [json([]), /without an access_token$/],
    [(_request, response) => response.end(`<html>${SECRET}`), /without an access_token$/],
    [(_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /has answered 302$/],
    [(request) => void request.socket.destroy(), /cannot be reached: UND_ERR_SOCKET$/],
  ];
  for (const [answer, words] of cases) {
    const { fetch, port } = await endpoint(t, answer);
    const error: unknown = await fetch().then(
      () => null,
      (failure: unknown) => failure,
    );
    if (!(error instanceof LoginError)) return t.fail(`no error for ${words}`);
    t.match(error.message, words);
    t.match(error.message, `127.0.0.1:${port}`, 'it names the host');
    t.equal(error.failure, 'credential_unavailable');
    t.notMatch(`${JSON.stringify(error)}${String(error.cause)}${error.stack}`, /planted/);
  }
});

t.test('an endpoint that is not there is told with the code of the system', async (t) => {
  const { server, fetch } = await endpoint(t, json({}));
  await new Promise((resolve) => server.close(resolve));
  await t.rejects(fetch(), { message: /^the token endpoint 127.0.0.1:\d+ cannot be reached: ECONNREFUSED$/ });
});

t.test('an endpoint that never answers is left after ten seconds', async (t) => {
  let asked = 0;
  let gone = 0;
  const { cache, clock } = await endpoint(t, (request) => {
    asked += 1;
    request.socket.once('close', () => {
      gone += 1;
    });
  });
  const answer = Promise.resolve(cache.token());
  await until('it was asked', () => asked === 1);
  clock.advance(9_999);
  t.equal(gone, 0);
  clock.advance(1);
  await t.rejects(answer, { message: /^the token endpoint 127.0.0.1:\d+ has given no token within 10000 ms$/ });
  await until('the connection is closed', () => gone === 1);
});

t.test('no connection to the endpoint stays open once it has answered', async (t) => {
  const { server, fetch } = await endpoint(t, json({ access_token: 'abc', expires_in: 300 }));
  await fetch();
  let open = 1;
  await until('it is closed', () => {
    server.getConnections((_error, count) => {
      open = count;
    });
    return open === 0;
  });
  t.equal(open, 0);
});

t.test('an answer that does not say how long a token is good for leaves it to the token', async (t) => {
  const claims = (exp: unknown) => Buffer.from(JSON.stringify({ exp })).toString('base64url');
  const clock = new ManualClock();
  const cases: readonly (readonly [string, number | null])[] = [
    [`h.${claims(clock.unixSeconds() + 600)}.s`, 600_000],
    [`h.${claims('soon')}.s`, null],
    ['h.no-json.s', null],
    ['opaque', null],
  ];
  for (const [token, life] of cases) {
    const { fetch } = await endpoint(t, json({ access_token: token }));
    t.equal((await fetch()).lifeMilliseconds, life);
  }
  const { fetch } = await endpoint(t, json({ access_token: 'abc', expires_in: '60' }));
  t.equal((await fetch()).lifeMilliseconds, 60_000, 'some write the number as text');
});

t.test('a refusal makes longer pauses than an endpoint that cannot be reached', async (t) => {
  const asked: string[] = [];
  for (const [status, pause, name] of [
    [503, 750, 'down'],
    [401, 7500, 'refused'],
  ] as const) {
    const { cache, clock } = await endpoint(t, (request, response) => {
      asked.push(name);
      json({}, status)(request, response);
    });
    await t.rejects(Promise.resolve(cache.token()), LoginError);
    clock.advance(pause - 1);
    t.throws(() => cache.token(), LoginError, 'meanwhile nobody is asked');
    clock.advance(1);
    await t.rejects(Promise.resolve(cache.token()), LoginError);
    clock.advance(pause * 2 - 1);
    t.throws(() => cache.token(), LoginError, 'and each pause is longer');
  }
  t.strictSame(asked, ['down', 'down', 'refused', 'refused']);
});

t.test('over TLS the certificate must come from the authority and be for the host', async (t) => {
  const ca = authority();
  const secure = async (wishes: Parameters<typeof certify>[0]) => {
    const { certificate: cert, key } = certify(wishes);
    const server = createSecureServer({ cert, key }, json({ access_token: 'abc', expires_in: 60 }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const wanted = { ...grant(`https://127.0.0.1:${port}/token`), authorities: [ca.certificate] };
    return fetchToken(wanted, new ManualClock(), new AbortController().signal);
  };
  const hosts = ['127.0.0.1'];
  t.equal((await secure({ name: 'idp', by: ca, hosts })).token.reveal(), 'abc');
  await t.rejects(secure({ name: 'idp', hosts }), { message: /cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT$/ });
  await t.rejects(secure({ name: 'idp', by: ca, hosts: ['idp.example'] }), {
    message: /cannot be reached: ERR_TLS_CERT_ALTNAME_INVALID$/,
  });
  await t.rejects(secure({ name: 'idp', by: ca, hosts, from: -3, until: -1 }), {
    message: /cannot be reached: CERT_HAS_EXPIRED$/,
  });
});
