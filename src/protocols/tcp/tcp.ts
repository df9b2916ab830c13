/** Opaque streams: every byte is valid data, nothing is owed, and both sides of a stream live and idle together. */
import {
  type ClientSession,
  Demand,
  type Protocol,
  type ProtocolRoute,
  type RequestCounts,
  type UpstreamSession,
  type UpstreamSink,
  Verdict,
} from '../../contract/protocol.ts';
import type { CloseReason, PinReason } from '../../contract/reasons.ts';

const NOTHING = Buffer.alloc(0);
const NO_REQUESTS: RequestCounts = { forwarded: new Map(), absorbed: new Map() };

class OpaqueClientSession implements ClientSession {
  size = 0;
  readonly demand = Demand.pinHard;
  readonly pin: PinReason = 'opaque';
  readonly pinned = true;
  readonly work = true;
  readonly identity = '';
  readonly closeReason: CloseReason = 'protocol_error';
  readonly closeDetail = '';

  inspect(_bytes: Buffer, start: number, end: number): Verdict {
    this.size = end - start;
    return Verdict.forward;
  }

  answer(): Buffer {
    return NOTHING;
  }

  close(): void {
    this.size = 0;
  }
}

class OpaqueUpstreamSession<T> implements UpstreamSession<T> {
  readonly blocked = false;
  readonly owed = 0;
  readonly holding = false;
  readonly unfenced = false;
  readonly inAnswer = false;
  readonly lifetimeMilliseconds = 0;
  readonly patienceMilliseconds = 0;
  #tenant: T | null = null;

  greeting(): undefined {
    return undefined;
  }

  lend(tenant: T): void {
    this.#tenant = tenant;
  }

  admit(): undefined {
    return undefined;
  }

  read(bytes: Buffer, start: number, end: number, sink: UpstreamSink<T>): void {
    if (this.#tenant === null) {
      sink.fail('unsolicited_bytes', 'the server sent bytes and nobody was there to take them');
      return;
    }
    sink.deliver(this.#tenant, bytes, start, end);
    sink.worked();
  }

  resume(sink: UpstreamSink<T>): void {
    if (this.#tenant !== null) sink.settled(this.#tenant);
  }

  ping(): undefined {
    return undefined;
  }
  refresh(): undefined {
    return undefined;
  }
}

class OpaqueRoute implements ProtocolRoute {
  readonly dialsAtAccept = true;
  readonly multiplexes = false;
  readonly listensPerBroker = false;
  readonly asksForTopology = false;
  localPort(node: string): { readonly fault: string } {
    return { fault: `an opaque route has no broker ${node}` };
  }
  client(): ClientSession {
    return new OpaqueClientSession();
  }
  upstream<T>(): UpstreamSession<T> {
    return new OpaqueUpstreamSession<T>();
  }
  invalidate(): void {
    // Nothing is known of what passes, so nothing is cached.
  }
  counts(): RequestCounts {
    return NO_REQUESTS;
  }
}

export const tcp: Protocol = { name: 'tcp', createRoute: () => new OpaqueRoute() };
