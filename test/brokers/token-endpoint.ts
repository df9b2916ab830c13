/** Whoever grants tokens for client credentials (RFC 6749, section 4.4), on loopback. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { unsecuredToken } from './token.ts';

export class TokenEndpoint {
  readonly url: string;
  /** Tokens granted so far. */
  granted = 0;
  /** Requests refused: not of the client that is known here. */
  refused = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  }

  /** Knows one client, whose tokens name it as their subject. */
  static async open(clientId: string, clientSecret: string, lifeSeconds: number): Promise<TokenEndpoint> {
    const server = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request));
      const basic = Buffer.from(request.headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
      const [id, secret] = basic === '' ? [form.get('client_id'), form.get('client_secret')] : basic.split(':');
      const known = id === clientId && secret === clientSecret && form.get('grant_type') === 'client_credentials';
      if (known) endpoint.granted += 1;
      else endpoint.refused += 1;
      const token = {
        access_token: unsecuredToken(clientId, lifeSeconds),
        token_type: 'Bearer',
        expires_in: lifeSeconds,
      };
      response
        .writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
        .end(JSON.stringify(known ? token : { error: 'invalid_client' }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const endpoint = new TokenEndpoint(server);
    return endpoint;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
