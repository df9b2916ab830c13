/** A configuration and its files with a secret in every place that has one. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { authority, certify } from '../support/certificates.ts';
import { keyStoreOf } from '../support/key-store.ts';
import { Planted } from '../support/planted.ts';
import { echo, hangUp, saslBroker, silent, tokenEndpoint } from './hostile-brokers.ts';

export const CA = authority();
const HOSTS = ['localhost', '127.0.0.1'];
export const SERVER = certify({ name: 'server', by: CA, hosts: HOSTS });
export const CLIENT = certify({ name: 'client', by: CA });

export interface Route {
  readonly name: string;
  readonly upstream: object;
  readonly more?: object;
}

/** Everything that the sidecar is given, in a folder of its own. */
export class Places {
  readonly planted = new Planted();
  readonly folder: string;
  readonly adminToken = this.planted.plant('admin token');
  readonly accessToken = this.planted.plantWord('access token of the endpoint');
  readonly password = this.planted.plant('password');
  readonly filePassword = this.planted.plant('password in a file');
  readonly token = this.planted.plantWord('token');
  readonly fileToken = this.planted.plantWord('token in a file');
  readonly clientSecret = this.planted.plant('client secret');
  readonly fileClientSecret = this.planted.plant('client secret in a file');
  readonly keyPassword = this.planted.plant('password of a key');
  readonly storePassword = this.planted.plant('password of a key store');
  readonly alice = this.planted.plant('password of alice');
  readonly aliceUpstream = this.planted.plant("alice's password for brokers");
  readonly bob = this.planted.plant('password of bob in a file');
  readonly guess = this.planted.plant('guess of a client');
  readonly passed = this.planted.plant('password that passes through');

  constructor(t: Test) {
    this.folder = t.testdir({});
    this.planted.addPem('key of the server', SERVER.key);
    this.planted.addPem('key of the client', CLIENT.key);
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: this.keyPassword } as const;
    this.write('admin-token', `${this.adminToken}\n`);
    this.write('password', this.filePassword);
    this.write('token', this.fileToken);
    this.write('client-secret', this.fileClientSecret);
    this.write('key-password', this.keyPassword);
    this.write('wrong-password', this.guess);
    this.write('store-password', this.storePassword);
    this.write('bob', this.bob);
    this.write('ca.pem', CA.certificate);
    this.write('server.pem', SERVER.certificate);
    this.write('server.key', SERVER.key);
    this.write('client.pem', CLIENT.certificate);
    this.write('client.key', CLIENT.privateKey.export(cipher).toString());
    this.write('client.p12', keyStoreOf(CLIENT, this.storePassword));
    this.write('users.yaml', this.users());
  }

  users(): string {
    const sasl = { mechanism: 'PLAIN', username: 'alice', password: this.aliceUpstream };
    return JSON.stringify({ users: { alice: { password: this.alice, sasl }, bob: { passwordFile: 'bob' } } });
  }

  write(name: string, text: string | Buffer): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** The path of a file. */
  in(name: string): string {
    return join(this.folder, name);
  }

  config(routes: readonly Route[], more: object = {}): string {
    const file = this.in('slackwater.yaml');
    const keys = {
      routes: routes.map(({ name, upstream, more: own = {} }, index) => ({
        name,
        protocol: 'kafka',
        listen: '127.0.0.1:0',
        brokers: { portBase: 20_000 + index * 100 },
        upstream: { dialTimeoutMilliseconds: 1500, ...upstream },
        ...own,
      })),
      admin: { listen: '127.0.0.1:0', tokenFile: 'admin-token' },
      health: { listen: '127.0.0.1:0' },
      ...more,
    };
    writeFileSync(file, JSON.stringify(keys));
    return file;
  }
}

export async function routesOf(
  t: Test,
  places: Places,
): Promise<{ routes: Route[]; passing: Buffer[]; scram: Buffer[] }> {
  const scram = { username: 'app', password: places.filePassword };
  // Whatever it was shown it says in its refusal.
  const refusing = async (shown: string): Promise<string> => {
    const traits = { password: 'other', token: 'other', refusal: `no: ${shown} "${shown}" ${shown}` };
    return (await saslBroker(t, traits)).address;
  };
  const good = await saslBroker(t, { ...scram, refusal: `no: ${places.aliceUpstream} "${places.aliceUpstream}"` });
  const secure = await saslBroker(t, scram, SERVER);
  const untrusted = await saslBroker(t, scram, certify({ name: 'other', by: authority(), hosts: HOSTS }));
  const passing = await saslBroker(t, { username: 'app', password: 'other' });
  const spoil = (text: string): string => (text.startsWith('v=') ? `e=${places.filePassword}` : text);
  const spoiled = await saslBroker(t, { ...scram, spoil });
  const fetched = await refusing(places.accessToken);
  const idp = await tokenEndpoint(t, places.accessToken);
  const plain = { mechanism: 'PLAIN', username: 'app', password: places.password };
  const inFile = { username: 'app', passwordFile: 'password' };
  const endpoint = (path: string, secret: object) => ({
    mechanism: 'OAUTHBEARER',
    tokenEndpoint: { url: `${idp}/${path}`, clientId: 'app', ...secret },
  });
  const inline = { clientSecret: places.clientSecret };
  const tls = { caFile: 'ca.pem' };
  const ownKey = { ...tls, certificateFile: 'client.pem', keyFile: 'client.key', keyPasswordFile: 'key-password' };
  const store = { ...tls, pkcs12File: 'client.p12', pkcs12PasswordFile: 'store-password' };
  const listenTls = { certificateFile: 'server.pem', keyFile: 'server.key' };
  const listenSasl = { credentialsFile: 'users.yaml' };
  const route = (name: string, address: string, sasl: object | undefined, keys: object = {}, more: object = {}) => ({
    name,
    upstream: { bootstrap: [address], ...(sasl === undefined ? {} : { sasl }), ...keys },
    more,
  });
  const routes: Route[] = [
    route('plain-refused', await refusing(places.password), plain),
    route('scram-refused', await refusing(places.filePassword), { mechanism: 'SCRAM-SHA-256', ...inFile }),
    route('scram', good.address, { mechanism: 'SCRAM-SHA-512', ...inFile }),
    route('scram-spoiled', spoiled.address, { mechanism: 'SCRAM-SHA-256', ...inFile }),
    route('bearer-refused', await refusing(places.token), { mechanism: 'OAUTHBEARER', token: places.token }),
    route('bearer-file-refused', await refusing(places.fileToken), { mechanism: 'OAUTHBEARER', tokenFile: 'token' }),
    ...['good', 'refused', 'no-token', 'bad-token', 'broken', 'redirect', 'error'].map((path) =>
      route(`endpoint-${path}`, fetched, endpoint(path, inline)),
    ),
    route('endpoint-file', fetched, endpoint('refused', { clientSecretFile: 'client-secret' })),
    route('echo', await echo(t), plain),
    route('echo-scram', await echo(t), { mechanism: 'SCRAM-SHA-256', ...inFile }),
    route('hang-up', await hangUp(t), plain),
    route('silent', await silent(t), plain),
    route('nobody', '127.0.0.1:1', plain),
    route('unnamed', 'broker.invalid:9092', plain),
    route('tls', secure.address, { mechanism: 'SCRAM-SHA-256', ...inFile }, { tls: ownKey }),
    route('tls-store', secure.address, plain, { tls: store }),
    route('tls-untrusted', untrusted.address, plain, { tls: ownKey }),
    route('tls-on-plaintext', good.address, plain, { tls: ownKey }),
    route('plaintext-on-tls', secure.address, plain),
    route('users', good.address, { mechanism: 'SCRAM-SHA-512', ...inFile }, {}, { listenSasl }),
    route('users-over-tls', good.address, { mechanism: 'SCRAM-SHA-512', ...inFile }, {}, { listenSasl, listenTls }),
    route('through', passing.address, undefined, { saslPassThrough: true }, { stateFile: 'state.json' }),
    route('through-echo', await echo(t), undefined, { saslPassThrough: true }),
  ];
  return { routes, passing: passing.tokens, scram: good.tokens };
}
