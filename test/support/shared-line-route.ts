/**
 * A protocol of text frames whose connections serve several clients, and whose clients use several connections: one word
 * for every rule of the contract's multiplexing.ts, which it keeps strictly: what must not be called throws.
 *
 *   ask                 answered; `house` too, and is housekeeping
 *   open name=          a name is open for one client of one connection; `keep name=`: one that pins its connection
 *   data name=          answered; if its name is not open on that connection, that is opened first (`prepare`)
 *   hi                  answered here once the broker was reached; `tick`: answered here
 *   pass                is taken, and goes nowhere; `bad`: its client must go; `boom`: a fault of ours
 *
 * Keys of each: `node=` host:port; `purpose=`, where what begins with `own` is for this client alone; `previous=` the
 * purpose that is left behind; `stale=yes`: `admit` refuses it. Of answers: `again=` node (and `purpose=`), `expel=yes`, `fail=yes`.
 * Frames that nobody asked for: `push name=`, and `auth`.
 */
import type {
  ClientSession,
  Protocol,
  ProtocolRoute,
  RequestCounts,
  UpstreamSession,
  UpstreamTarget,
} from '../../src/contract/protocol.ts';
import { SharedLineClient } from './shared-line-client.ts';
import { SharedLineUpstream } from './shared-line-upstream.ts';

export class SharedLineRoute implements ProtocolRoute {
  readonly dialsAtAccept = false;
  readonly asksForTopology = false;
  readonly multiplexes = true;
  readonly listensPerBroker = false;
  invalidations = 0;
  readonly sessions: SharedLineClient[] = [];
  readonly links: SharedLineUpstream<unknown>[] = [];
  /** Names that are being closed by those who left, and the tenants who want to open them: the core's names for them. */
  readonly closing = new Map<string, Set<unknown>>();

  localPort(node: string): { readonly fault: string } {
    return { fault: `there is no listener for ${node}` };
  }

  client(_node: string, user: string | null): ClientSession {
    const session = new SharedLineClient(this.sessions.length + 1, user ?? '');
    this.sessions.push(session);
    return session;
  }

  upstream<T>(_target: UpstreamTarget, identity: string, purpose = ''): UpstreamSession<T> {
    const link = new SharedLineUpstream<T>(this, identity, purpose);
    this.links.push(link as SharedLineUpstream<unknown>);
    return link;
  }

  invalidate(): void {
    this.invalidations += 1;
  }

  counts(): RequestCounts {
    return { forwarded: new Map(), absorbed: new Map() };
  }
}

export const sharedLineProtocol: Protocol = { name: 'shared-line', createRoute: () => new SharedLineRoute() };
