import t from 'tap';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { RouteOptions } from '../../src/core/options.ts';
import { GOOD } from './fault-cases.ts';

/** The type check of this function is the proof that the core can be given what the configuration says. */
function routeOptions(text: string): readonly RouteOptions[] {
  return effectiveRoutes(parseConfig(text, 'config.yaml'));
}

t.test('a route that says nothing has what the top level says', async (t) => {
  const text = `${GOOD}connectionMaxIdleSeconds: 60\npool: { maxWaiters: 7 }\nupstream: { dialTimeoutMilliseconds: 900 }\n`;
  const [route] = routeOptions(text);
  t.match(route, {
    name: 'orders',
    protocol: 'kafka',
    connectionMaxIdleSeconds: 60,
    connectionIdleDetectionIntervalSeconds: 60,
    pool: { maxWaiters: 7, maxConnectionsPerBroker: 16 },
    limits: { maxFrameBytes: 104857600 },
    upstream: { dialTimeoutMilliseconds: 900 },
  });
});

t.test('a route overrides single keys and leaves the others as they are', async (t) => {
  const overrides = [
    'autoReleaseIdleConnectionsEnabled: false',
    'clientMaxIdleSeconds: 0',
    'maxClients: 3',
    'pool: { maxWaiters: 5 }',
    'limits: { clientStallSeconds: 9 }',
  ];
  const second =
    '  - { name: b, protocol: tcp, listen: 127.0.0.1:1, upstream: { bootstrap: [b:2], dialTimeoutMilliseconds: 100 } }\n';
  const text = `${GOOD}    ${overrides.join('\n    ')}\n${second}clientMaxIdleSeconds: 90\npool: { maxWaiters: 7, maxWaitMilliseconds: 6000 }\n`;
  const [first, other] = routeOptions(text);
  t.match(first, {
    autoReleaseIdleConnectionsEnabled: false,
    clientMaxIdleSeconds: 0,
    maxClients: 3,
    pool: { maxWaiters: 5, maxWaitMilliseconds: 6000 },
    limits: { clientStallSeconds: 9, responseTimeoutSeconds: 120 },
    upstream: { dialTimeoutMilliseconds: 3000 },
  });
  t.match(other, {
    autoReleaseIdleConnectionsEnabled: true,
    clientMaxIdleSeconds: 90,
    maxClients: 10000,
    pool: { maxWaiters: 7, maxWaitMilliseconds: 6000 },
    limits: { clientStallSeconds: 60 },
    upstream: { dialTimeoutMilliseconds: 100 },
  });
});

t.test('addresses are parsed, and brokers have the host of the listener unless told otherwise', async (t) => {
  const dialled = '[broker-1:9092, "[fd00::1]:9093"], dialAddresses: { "[fd00::2]:9092": 10.0.0.7:9094 }';
  const [route] = routeOptions(GOOD.replace('[broker-1:9092]', dialled));
  t.strictSame(route?.listen, { host: '127.0.0.1', port: 9092 });
  t.strictSame(route?.upstream.bootstrap, [
    { host: 'broker-1', port: 9092 },
    { host: 'fd00::1', port: 9093 },
  ]);
  t.strictSame(route?.upstream.dialAddresses, { 'fd00::2:9092': { host: '10.0.0.7', port: 9094 } });
  t.strictSame(route?.brokers, {
    portBase: 29092,
    ports: {},
    listenHost: '127.0.0.1',
    advertisedHost: '127.0.0.1',
    removeAfterSeconds: 300,
  });
});

t.test('brokers are served and advertised where the route says', async (t) => {
  const brokers =
    '{ ports: { 1001: 30001 }, listenHost: 0.0.0.0, advertisedHost: node.example, removeAfterSeconds: 60 }';
  const [route] = routeOptions(GOOD.replace('{ portBase: 29092 }', brokers));
  t.strictSame(route?.brokers, {
    portBase: undefined,
    ports: { 1001: 30001 },
    listenHost: '0.0.0.0',
    advertisedHost: 'node.example',
    removeAfterSeconds: 60,
  });
});
