/** Brokers that know what they were told and do the worst with it: they say it again wherever they can. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import type { Test } from 'tap';
import { SaslBroker, type SaslBrokerTraits } from '../protocols/kafka/sasl/sasl-broker.ts';
import type { Certified } from '../support/certificates.ts';

async function bound(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Every connection goes with the test. */
function handled(t: Test, handle: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => undefined);
    t.teardown(() => socket.destroy());
    handle(socket);
  };
}

/** Speaks SASL. Its `tokens` are what clients have shown, of all connections. */
export async function saslBroker(t: Test, traits: SaslBrokerTraits, certified?: Certified) {
  const tokens: Buffer[] = [];
  const serve = handled(t, (socket) => {
    const broker = new SaslBroker(traits);
    socket.on('data', (bytes) => {
      const before = broker.tokens.length;
      socket.write(broker.take(bytes));
      tokens.push(...broker.tokens.slice(before));
      if (broker.refused || broker.faults.length > 0) socket.end();
    });
  });
  const server =
    certified === undefined
      ? createServer(serve)
      : createSecureServer({ cert: certified.certificate, key: certified.key }, serve).on('tlsClientError', () => {
          // A client that does not trust it: what this test wants.
        });
  return { address: await bound(t, server), tokens };
}

/** Sends back whatever it is sent. */
export function echo(t: Test): Promise<string> {
  return bound(
    t,
    createServer(
      handled(t, (socket) => {
        socket.pipe(socket);
      }),
    ),
  );
}

/** Reads one request and hangs up. */
export function hangUp(t: Test): Promise<string> {
  return bound(
    t,
    createServer(
      handled(t, (socket) => {
        socket.once('data', () => socket.destroy());
      }),
    ),
  );
}

/** Reads and says nothing. */
export function silent(t: Test): Promise<string> {
  return bound(
    t,
    createServer(
      handled(t, (socket) => {
        socket.resume();
      }),
    ),
  );
}

/** A token endpoint that repeats in its answer what it was sent, in a way of its own for each path. */
export async function tokenEndpoint(t: Test, accessToken: string): Promise<string> {
  const server = createHttpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { authorization = '' } = request.headers;
    const decoded = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
    const said = `${authorization} ${decoded} ${decodeURIComponent(decoded)} ${body}`;
    const json = { 'content-type': 'application/json' };
    switch (request.url) {
      case '/good':
        response.writeHead(200, json).end(JSON.stringify({ access_token: accessToken, token_type: 'bearer' }));
        return;
      case '/refused':
        response.writeHead(401, { ...json, 'x-said': encodeURIComponent(said) });
        response.end(JSON.stringify({ error: said, error_description: said }));
        return;
      case '/no-token':
        response.writeHead(200, json).end(JSON.stringify({ access_token: [accessToken], token_type: said, said }));
        return;
      case '/bad-token':
        response.writeHead(200, json).end(JSON.stringify({ access_token: `${accessToken}\u0001 ${said}` }));
        return;
      case '/broken':
        response.writeHead(200, json).end(`{"access_token": "${accessToken}", ${said}`);
        return;
      case '/redirect':
        response.writeHead(302, { location: `http://127.0.0.1:1/?${encodeURIComponent(said)}` }).end();
        return;
      default:
        response.writeHead(500, 'Said').end(said);
    }
  });
  return `http://${await bound(t, server)}`;
}
