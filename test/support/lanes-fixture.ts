/** A route whose clients share connections, by the shared line protocol, between applications and brokers of the test's. */
import { BOOTSTRAP } from '../../src/contract/topology.ts';
import { type CoreFixture, type Overrides, startCore } from './core-fixture.ts';
import type { FakeApp, RequestOptions } from './fake-app.ts';
import type { FakeConnection } from './fake-broker.ts';
import type { FakeIdentities } from './fake-identities.ts';
import { SharedLineRoute, sharedLineProtocol } from './shared-line-route.ts';
import { startTwo } from './two-users.ts';

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** At the end of the test nothing must have happened that nobody can explain. */
export async function startLanes(t: Scope, overrides: Overrides = {}): Promise<CoreFixture> {
  return watched(t, await startCore(t, { protocol: sharedLineProtocol, ...overrides }));
}

/** The same with alice and bob. */
export async function startLanesOfTwo(
  t: Scope,
  overrides: Overrides = {},
): Promise<{ core: CoreFixture; identities: FakeIdentities }> {
  const { core, identities } = await startTwo(t, { protocol: sharedLineProtocol, ...overrides });
  return { core: watched(t, core), identities };
}

function watched(t: Scope, core: CoreFixture): CoreFixture {
  t.teardown(async () => {
    const violations = violationsOf(core);
    if (violations.length > 0) throw new Error(violations.join('; '));
  });
  return core;
}

export function routeOf(core: CoreFixture): SharedLineRoute {
  if (!(core.route.protocol instanceof SharedLineRoute)) throw new Error('it speaks another protocol');
  return core.route.protocol;
}

/** How many tenants there are; the core and the protocol must agree about that. */
export function tenantsOf(core: CoreFixture): number {
  const links = routeOf(core).links.reduce((sum, { tenants }) => sum + tenants, 0);
  const upstreams = [...core.route.pools].flatMap(({ open }) => [...open]);
  const tenants = upstreams.reduce((sum, upstream) => sum + (upstream.tenants?.size ?? 0), 0);
  if (links !== tenants) throw new Error(`the protocol knows ${links} tenants, the core ${tenants}`);
  return tenants;
}

/** What was violated; it is no fault of the test then. */
export function violationsOf(core: CoreFixture): string[] {
  const details = core.eventsOf('invariant.violated').map(({ detail }) => detail);
  core.events.splice(0, core.events.length, ...core.events.filter(({ type }) => type !== 'invariant.violated'));
  return details;
}

export function join(core: CoreFixture, user: string | null = null): FakeApp {
  return core.connect(BOOTSTRAP, user);
}

/** Options of a request from its keys. */
export function keyed(keys: Readonly<Record<string, string>>, body?: string | Buffer): RequestOptions {
  return { keys: Object.entries(keys), ...(body === undefined ? {} : { body }) };
}

/** What came over a connection behind its greeting. */
export function wordsOn(connection: FakeConnection | undefined): string[] {
  const words = connection?.received.map(({ word, keys }) => [word, keys.get('name')].filter(Boolean).join(' ')) ?? [];
  return words.filter((word) => word !== 'hello' && word !== 'login');
}

/** The connection that is open to a broker, where there is one only. */
export function onlyLink(core: CoreFixture, node = 1): FakeConnection {
  const [connection, other] = core.broker(node).open;
  if (connection === undefined || other !== undefined) throw new Error(`${core.openTo(node)} connections are open`);
  return connection;
}

/** The broker has bytes for its clients that it was not asked for, or in pieces. */
export function say(core: CoreFixture, connection: FakeConnection | undefined, bytes: string | Buffer): void {
  connection?.peer.send(bytes);
  core.pump();
}

/** The broker answers what waits first. */
export function answer(core: CoreFixture, connection: FakeConnection | undefined, keys: [string, string][] = []): void {
  connection?.answer({ keys });
  core.pump();
}

/** Its next request is answered at once. */
export function isServed(app: FakeApp): boolean {
  const id = app.send('ask');
  return app.ids.at(-1) === id;
}
