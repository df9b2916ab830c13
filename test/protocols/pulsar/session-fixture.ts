/** A route of Pulsar without a core: sessions of clients and of brokers, and what is said to them by hand. */
import type { MultiplexingContext } from '../../../src/contract/multiplexing.ts';
import { type UpstreamTarget, Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP, type LocalAddress } from '../../../src/contract/topology.ts';
import type { PulsarClientSession } from '../../../src/protocols/pulsar/client-session.ts';
import { pulsar } from '../../../src/protocols/pulsar/pulsar.ts';
import { PulsarRoute } from '../../../src/protocols/pulsar/route.ts';
import type { PulsarUpstreamSession } from '../../../src/protocols/pulsar/upstream-session.ts';
import type { Command, CommandName, FieldsOf } from '../../support/pulsar/commands.ts';
import { FrameSplitter, frame } from '../../support/pulsar/frames.ts';
import { RecordingSink } from '../recording-sink.ts';

export const HUGE = 2n ** 62n + 12_345_678_901n;
export const FLAGS = { authRefresh: true, brokerEntryMetadata: true };

export interface FixtureOptions extends Partial<MultiplexingContext> {
  readonly maxFrameBytes?: number;
  readonly ports?: Readonly<Record<string, number>>;
}

export class Fixture {
  readonly listeners = new Map<string, LocalAddress | 'unbindable'>();
  readonly route: PulsarRoute;

  constructor({ maxFrameBytes = 100 * 1024 * 1024, ports = {}, ...multiplexing }: FixtureOptions = {}) {
    const route = pulsar.createRoute({
      addresses: { find: (node) => this.listeners.get(node) },
      ...{ maxFrameBytes, ports, portBase: undefined, saslPassThrough: false, users: null },
      multiplexing: {
        wholeFrameBytes: 64 * 1024,
        passed: null,
        isUpstreamSecured: false,
        isAllowedBroker: () => false,
        rewritesLookups: false,
        keepsTopicsAlive: false,
        ...multiplexing,
      },
    });
    if (!(route instanceof PulsarRoute)) throw new Error('another route');
    this.route = route;
  }

  /** A connection to a broker that has answered CONNECT. */
  link(
    purpose: string,
    { node = BOOTSTRAP, host = 'broker-1', port = 6650 }: Partial<UpstreamTarget> = {},
    identity = '',
  ): Link {
    const session = this.route.upstream<string>({ node, host, port }, identity, purpose);
    const link = new Link(session, session.greeting(null));
    link.hears('CONNECTED', CONNECTED);
    link.sink.reset();
    return link;
  }

  /** A client that was told that it is connected. */
  client(options: FieldsOf<'CONNECT'> = {}, node = BOOTSTRAP): Client {
    const session = this.route.client(node);
    const client = new Client(session);
    const connect = frame('CONNECT', { clientVersion: 'test', protocolVersion: 21, flags: FLAGS, ...options });
    if (client.verdict(connect) === Verdict.learn) this.link('lookup', { node: session.node }, session.identity);
    if (client.verdict(connect) !== Verdict.answer) throw new Error(`not connected: ${session.closeDetail}`);
    client.answered = session.answer();
    return client;
  }
}

export const CONNECTED: FieldsOf<'CONNECTED'> = {
  serverVersion: 'Pulsar Server4.0.8',
  protocolVersion: 21,
  maxMessageSize: 5 * 1024 * 1024,
  flags: { ...FLAGS, partialProducer: true, topicWatchers: true },
};

export class Client {
  readonly session: PulsarClientSession;
  answered: Buffer | null = null;

  constructor(session: PulsarClientSession) {
    this.session = session;
  }

  verdict(bytes: Buffer, mayAnswer = true): Verdict {
    return this.session.inspect(bytes, 0, bytes.length, mayAnswer);
  }

  asks<N extends CommandName>(name: N, fields: FieldsOf<N>): Verdict {
    return this.verdict(frame(name, fields));
  }
}

export class Link {
  readonly session: PulsarUpstreamSession<string>;
  readonly sink = new RecordingSink();
  /** What was said to the broker when the connection was opened. */
  readonly greeting: Buffer | undefined;

  constructor(session: PulsarUpstreamSession<string>, greeting: Buffer | undefined) {
    this.session = session;
    this.greeting = greeting;
  }

  /** What the broker gets when this client asks that. */
  forwards(client: Client, tenant: string, bytes: Buffer): Buffer {
    const { session } = client;
    if (client.verdict(bytes) !== Verdict.forward) throw new Error(`not forwarded: ${session.closeDetail}`);
    const prepared = this.session.prepare(session, tenant);
    if (prepared !== null) throw new Error('something must be said before');
    const copy = Buffer.concat([Buffer.from([1, 2, 3]), bytes]);
    const refusal = this.session.admit(session, tenant, copy, 3);
    if (refusal !== undefined) throw new Error(refusal);
    const { head, replaced } = this.session;
    return head === null ? copy.subarray(3) : Buffer.concat([head, copy.subarray(3 + replaced)]);
  }

  asks<N extends CommandName>(client: Client, tenant: string, name: N, fields: FieldsOf<N>): Required<FieldsOf<N>> {
    const [command] = commandsIn(this.forwards(client, tenant, frame(name, fields)));
    if (command?.name !== name) throw new Error(`${name} became ${command?.name}`);
    return command.fields as Required<FieldsOf<N>>;
  }

  reads(bytes: Buffer): void {
    this.session.read(bytes, 0, bytes.length, this.sink);
  }

  hears<N extends CommandName>(name: N, fields: FieldsOf<N>): void {
    this.reads(frame(name, fields));
  }

  /** What was delivered to this tenant. */
  told(tenant: string): readonly Command[] {
    return commandsIn(this.sink.delivered(tenant));
  }
}

export function commandsIn(bytes: Buffer): Command[] {
  const commands: Command[] = [];
  const splitter = new FrameSplitter(200 * 1024 * 1024);
  splitter.push(bytes, ({ command }) => commands.push(command));
  if (splitter.partial > 0) throw new Error('half a frame');
  return commands;
}
