/** Starts the listeners of the product on free ports; they go with the test. */
import { request as httpRequest } from 'node:http';
import type { Test } from 'tap';
import { type AdminOptions, startAdminListener } from '../../src/admin/admin-listener.ts';
import { type HealthOptions, startHealthListener } from '../../src/admin/health-listener.ts';
import { Readiness } from '../../src/admin/readiness.ts';
import { systemClock } from '../../src/core/clock.ts';
import { FakeRoute } from '../support/fake-route.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A request with exactly these headers: `fetch` would not let a test choose Host or Origin. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const isJson = response.headers['content-type']?.includes('json') === true && text !== '';
        const parsed: unknown = isJson ? JSON.parse(text) : {};
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text, body: Object(parsed) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export function askJson(url: string, method: string, body: unknown, headers: Record<string, string> = {}) {
  return ask(url, { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
}

export interface Recorded {
  readonly lines: { fields: object; message: string }[];
  readonly log: AdminOptions['log'];
}

export function recorder(): Recorded {
  const lines: { fields: object; message: string }[] = [];
  const add = (fields: object, message: string) => {
    lines.push({ fields, message });
  };
  return { lines, log: { info: add, warn: add, error: add } };
}

export async function adminOn(t: Test, routes: FakeRoute[] = [new FakeRoute()], changes: Partial<AdminOptions> = {}) {
  const { lines, log } = recorder();
  const level = {
    levels: ['info', 'debug'],
    level: 'info',
    setLevel(value: string) {
      this.level = value;
    },
  };
  const readiness = new Readiness(() => routes);
  const listener = await startAdminListener({
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    version: '1.2.3',
    routes: () => routes,
    config: () => ({ routes: [{ name: 'orders' }] }),
    recent: () => [{ event: 'pool.asleep' }],
    readiness,
    level,
    log,
    ...changes,
  });
  t.teardown(() => listener.close());
  return { url: listener.url, close: () => listener.close(), routes, level, lines, readiness };
}

export async function healthOn(t: Test, routes: FakeRoute[], changes: Partial<HealthOptions> = {}) {
  const { lines, log } = recorder();
  const readiness = new Readiness(() => routes);
  const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', render: async () => 'a 1\n' };
  const listen = { host: '127.0.0.1', port: 0 };
  const listener = await startHealthListener({ listen, readiness, metrics, log, ...changes });
  t.teardown(() => listener.close());
  return { url: listener.url, readiness, lines };
}
