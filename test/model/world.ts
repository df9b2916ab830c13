/** The product between applications and brokers that do as a schedule says, and a book of all that passed. */
import type { CoreEvent } from '../../src/core/events.ts';
import { Upstream } from '../../src/core/upstream.ts';
import { CoreFixture } from '../support/core-fixture.ts';
import type { FakeConnection } from '../support/fake-broker.ts';
import { FakeIdentities } from '../support/fake-identities.ts';
import type { FakeWire } from '../support/fake-wire.ts';
import { seeded } from '../support/seeded.ts';
import { Application } from './application.ts';
import { closeFault } from './close-rules.ts';
import { checkDial, checkInvariants } from './invariants.ts';
import { Ledger } from './ledger.ts';
import type { Setting } from './steps.ts';

const VALIDATE_AFTER_SECONDS = 5;
export const MAX_IDLE_SECONDS = 30;
export const INTERVAL_SECONDS = 10;
/** Releases after which nothing that was begun may be unfinished. */
const POLITE = new Set(['idle', 'housekeeping_done', 'excess', 'max_age', 'session_expired']);
export const USERS = ['alice', 'bob'] as const;

export class World {
  readonly core: CoreFixture;
  readonly apps: Application[] = [];
  readonly ledgers = new Map<string, Ledger>();
  readonly validateAfterMilliseconds = VALIDATE_AFTER_SECONDS * 1000;
  /** Answers of which a part was sent, with what is left. */
  readonly unsentAnswers = new Map<FakeConnection, Buffer>();
  readonly #wires = new Map<FakeWire, Ledger>();
  readonly #written = new Set<string>();
  readonly #lastWritten = new Map<number, number>();
  /** Connections that were open at some time. */
  readonly opened = new Set<string>();
  readonly #released = new Set<string>();
  readonly #violations: string[] = [];
  /** Dials failed at some time, so clients may be refused. */
  hasFailedDials = false;
  trace: (line: string) => void = () => undefined;
  /** The applications leave. */
  ending = false;
  lastClient = '';

  readonly identities: FakeIdentities | null;
  readonly sessionMilliseconds: number;
  #secrets = 0;

  constructor({ cap, warm, seed, users, sessionSeconds }: Setting) {
    this.identities = users ? new FakeIdentities({ alice: 'first', bob: 'first' }) : null;
    this.sessionMilliseconds = users ? sessionSeconds * 1000 : 0;
    this.core = new CoreFixture({
      brokers: 2,
      ...(this.identities === null ? {} : { identities: this.identities }),
      random: seeded(seed),
      options: {
        connectionMaxIdleSeconds: MAX_IDLE_SECONDS,
        connectionIdleDetectionIntervalSeconds: INTERVAL_SECONDS,
      },
      upstream: { dialTimeoutMilliseconds: 1000 },
      pool: {
        maxConnectionsPerBroker: cap,
        minWarmConnectionsPerBroker: warm,
        validateAfterIdleSeconds: VALIDATE_AFTER_SECONDS,
        excessLingerSeconds: 3,
        maxConnectionAgeSeconds: 120,
        maxWaiters: 6,
      },
      limits: { maxFrameBytes: 4000, wholeFrameBytes: 100, clientStallSeconds: 20, responseTimeoutSeconds: 30 },
    });
    if (users) this.core.cluster.users = new Map(USERS.map((user) => [user, 'first']));
    this.core.cluster.sessionMilliseconds = this.sessionMilliseconds;
    this.core.network.bufferBytes = 256;
    this.core.onEvent = (event) => this.#observe(event);
    this.core.network.spy = {
      dialled: (wire) => this.#dialled(wire),
      wrote: (wire, bytes) => {
        this.trace(`    write ${wire.remote} ${short(bytes)}`);
        this.#wires.get(wire)?.wrote(bytes);
      },
      read: (wire, bytes) => {
        this.trace(`    read ${wire.remote} ${short(bytes)}`);
        this.#wires.get(wire)?.read(bytes);
      },
    };
  }

  get now(): number {
    return this.core.clock.now();
  }

  async start(): Promise<void> {
    await this.core.route.start();
    await this.core.settle();
    this.core.pass(3);
    for (const broker of this.core.cluster.brokers.values()) broker.manual = true;
  }

  violated(rule: string): void {
    this.#violations.push(rule);
  }

  find(app: number): Application | undefined {
    return this.apps.find(({ number }) => number === app);
  }

  /** It may still send, and the product has not closed it (which the application may not have seen yet). */
  isServed(app: number): boolean {
    const application = this.find(app);
    if (application?.maySend !== true) return false;
    return [...this.core.route.clients].some(({ id, state }) => id === application.client && state !== 'closed');
  }

  connect(node: string, which: number): void {
    this.lastClient = '';
    const user = this.identities === null ? '' : (USERS[which % USERS.length] ?? '');
    const app = this.core.connect(node, user === '' ? null : user);
    if (!app.peer.refused) this.apps.push(new Application(app, this.lastClient, user));
  }

  /** A user has a new secret, which brokers know or not. */
  rotate(user: string, known: boolean): void {
    if (this.identities === null) return;
    this.#secrets += 1;
    const secret = `secret-${this.#secrets}`;
    if (known) this.core.cluster.users?.set(user, secret);
    this.identities.rotate(user, secret);
  }

  /** A request went to a broker: never twice, and never out of its application's order. */
  requestWritten(app: number, id: string): void {
    if (this.#written.has(id)) this.violated(`${id} was written twice`);
    this.#written.add(id);
    const number = Number(id.slice(id.indexOf('-') + 1));
    if (number <= (this.#lastWritten.get(app) ?? 0)) this.violated(`${id} was written out of order`);
    this.#lastWritten.set(app, number);
  }

  #dialled(wire: FakeWire): void {
    const { handler } = wire;
    if (!(handler instanceof Upstream)) return;
    const ledger = new Ledger(handler.id, wire.remote, this);
    this.#wires.set(wire, ledger);
    this.ledgers.set(handler.id, ledger);
    const fault = checkDial(this, handler);
    if (fault !== undefined) this.violated(fault);
  }

  #observe(event: CoreEvent): void {
    this.trace(`    ${JSON.stringify(event)}`);
    if (event.type === 'client.connected') this.lastClient = event.client;
    else if (event.type === 'upstream.connected') this.opened.add(event.upstream);
    else if (event.type === 'upstream.released') this.#observeRelease(event);
    else if (event.type === 'invariant.violated') this.violated(event.detail);
    else if (event.type === 'client.disconnected') {
      const fault = closeFault(this, event);
      if (fault !== undefined) this.violated(fault);
    }
  }

  #observeRelease({ upstream, reason, opened }: Extract<CoreEvent, { type: 'upstream.released' }>): void {
    if (this.#released.has(upstream)) this.violated(`${upstream} was released twice`);
    this.#released.add(upstream);
    this.hasFailedDials ||= !opened;
    if (opened !== this.opened.has(upstream)) this.violated(`${upstream}: opened is ${opened}`);
    const ledger = this.ledgers.get(upstream);
    if (ledger === undefined) return;
    if (POLITE.has(reason) && (ledger.open.length > 0 || ledger.inRequest))
      this.violated(`${upstream} was released (${reason}) while ${ledger.open.join()} was open`);
    if (reason === 'idle' && this.now - ledger.lastWork < MAX_IDLE_SECONDS * 1000)
      this.violated(`${upstream} was reaped ${this.now - ledger.lastWork} ms after its last work`);
  }

  /** Every connection that was opened is gone, with its reason. */
  get unreleased(): string[] {
    return [...this.opened].filter((id) => !this.#released.has(id));
  }

  /** Throws with the first rule that does not hold. */
  check(): void {
    for (const application of this.apps) {
      const wrong = application.wrongAnswer();
      if (wrong !== undefined) this.violated(wrong);
    }
    this.#violations.push(...checkInvariants(this.core), ...this.core.network.faults);
    const [first] = this.#violations;
    if (first !== undefined) throw new Error(first);
  }
}

function short(bytes: Buffer): string {
  const text = bytes.toString('latin1').replaceAll('\n', '|');
  return text.length > 120 ? `${text.slice(0, 100)}.. (${text.length})` : text;
}
