/** A route that is only what it is told to be: for tests of those who look at routes and steer them. */
import { PIN_REASONS, type PinReason } from '../../src/contract/reasons.ts';
import { Distribution } from '../../src/core/distribution.ts';
import type {
  ClientView,
  ReapReport,
  ReapRequest,
  RouteControl,
  RouteFigures,
  RouteView,
  UpstreamView,
} from '../../src/core/views.ts';

export class FakeRoute implements RouteControl {
  readonly name: string;
  learnt = true;
  state: RouteView;
  numbers: RouteFigures;
  upstreamList: UpstreamView[] = [];
  clientList: ClientView[] = [];
  report: ReapReport = { chosen: [], matched: 0, released: 0, skipped: [], failed: 0 };
  /** Every call that would change something. */
  readonly calls: unknown[] = [];

  constructor(name = 'orders') {
    this.name = name;
    this.state = routeView(name);
    this.numbers = routeFigures();
  }

  view(): RouteView {
    return { ...this.state, learnt: this.learnt };
  }

  figures(): RouteFigures {
    return this.numbers;
  }

  upstreams(): UpstreamView[] {
    return this.upstreamList;
  }

  clients(): ClientView[] {
    return this.clientList;
  }

  async reap(request: ReapRequest): Promise<ReapReport> {
    this.calls.push(['reap', request]);
    return this.report;
  }

  condemnUpstream(id: string, force: boolean): boolean {
    if (!this.upstreamList.some((upstream) => upstream.id === id)) return false;
    this.calls.push(['condemnUpstream', id, force]);
    return true;
  }

  closeClient(id: string): boolean {
    if (!this.clientList.some((client) => client.id === id)) return false;
    this.calls.push(['closeClient', id]);
    return true;
  }
}

export function routeView(name: string, changes: Partial<RouteView> = {}): RouteView {
  return {
    name,
    protocol: 'kafka',
    listen: '127.0.0.1:9092',
    sharing: 'route',
    learnt: true,
    clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
    bootstrap: ['broker-1:9092', 'broker-2:9092'],
    brokers: [
      {
        broker: '1',
        address: 'broker-1:9092',
        local: '127.0.0.1:29093',
        state: 'awake',
        upstreams: 2,
        waiters: 0,
      },
      { broker: '2', address: 'broker-2:9092', local: '127.0.0.1:29094', state: 'asleep', upstreams: 0, waiters: 0 },
      { broker: '3', address: 'broker-3:9092', local: null, state: 'down', upstreams: 0, waiters: 1 },
    ],
    clients: { idle: 9, waiting: 1, attached: 2, parked: 40 },
    upstreams: { dialing: 0, using: 1, idle_marked: 1, before_release: 0, released: 0 },
    connectionsSaved: { reaping: 40, sharing: 10 },
    ...changes,
  };
}

function nobodyPinned(): Record<PinReason, number> {
  return Object.fromEntries(PIN_REASONS.map((reason) => [reason, 0])) as Record<PinReason, number>;
}

export function routeFigures(changes: Partial<RouteFigures> = {}): RouteFigures {
  const leaseWaitSeconds = new Distribution([0.001, 0.01, 0.1]);
  const resumeSeconds = new Distribution([0.01, 0.1, 1]);
  return {
    clientsPinned: { ...nobodyPinned(), acks_zero: 1 },
    upstreams: new Map([['1', { dialing: 0, using: 1, idle_marked: 1, before_release: 0, released: 0 }]]),
    waiters: 1,
    bytesFromClients: 1000,
    bytesToClients: 2000,
    reaped: 7,
    detectorLastRunSeconds: 1_790_000_000,
    leaseWaitSeconds,
    resumeSeconds,
    stalledSeconds: new Map([['1', 0]]),
    requests: new Map([['Produce', 12]]),
    absorbed: new Map([['ApiVersions', 3]]),
    ...changes,
  };
}

export function upstreamView(changes: Partial<UpstreamView> = {}): UpstreamView {
  return {
    id: 'u1',
    route: 'orders',
    broker: '1',
    identity: '',
    address: 'broker-1:9092',
    state: 'idle_marked',
    budget: 'pool',
    why: 'quiet, kept for the next request',
    ageSeconds: 75.25,
    lastWorkSecondsAgo: 12.5,
    client: null,
    tenants: 0,
    purpose: '',
    pins: [],
    owed: 0,
    releaseInSeconds: { earliest: 167.5, latest: 232.5 },
    condemned: false,
    ...changes,
  };
}

export function clientView(changes: Partial<ClientView> = {}): ClientView {
  return {
    id: 'c1',
    route: 'orders',
    listener: 'bootstrap',
    broker: '1',
    identity: '',
    remote: '127.0.0.1:51234',
    state: 'parked',
    why: 'quiet, and its pool is asleep',
    pins: [],
    upstream: null,
    registrations: [],
    ageSeconds: 3700,
    lastWorkSecondsAgo: 400,
    closesInSeconds: null,
    ...changes,
  };
}
