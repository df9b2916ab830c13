/**
 * Every metric of ours: its name, type, labels and meaning. docs/metrics.md has the same rows and a test keeps them
 * equal. Label values come from closed or bounded sets: never a connection id, never an address of a client.
 */
export interface Family {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const FAMILIES = {
  slackwater_client_connections: {
    type: 'gauge',
    labels: ['route', 'state'],
    help: 'Sockets of applications that are open. State parked: idle, and no broker connection is open for it.',
  },
  slackwater_client_connections_opened_total: {
    type: 'counter',
    labels: ['route'],
    help: 'Sockets of applications that were accepted.',
  },
  slackwater_client_connections_closed_total: {
    type: 'counter',
    labels: ['route', 'reason'],
    help: 'Sockets of applications that were closed, by either side.',
  },
  slackwater_clients_pinned: {
    type: 'gauge',
    labels: ['route', 'reason'],
    help: 'Clients that keep a broker connection of their own now.',
  },
  slackwater_upstream_connections: {
    type: 'gauge',
    labels: ['route', 'broker', 'state'],
    help: 'Broker connections that hold a slot. State released: our FIN is sent and the socket not yet closed.',
  },
  slackwater_upstream_connections_opened_total: {
    type: 'counter',
    labels: ['route', 'broker'],
    help: 'Broker connections that were opened and whose greeting was answered.',
  },
  slackwater_upstream_connections_closed_total: {
    type: 'counter',
    labels: ['route', 'broker', 'reason'],
    help: 'Broker connections that were released, those included that were never opened (reason dial_failed).',
  },
  slackwater_upstream_dial_seconds: {
    type: 'histogram',
    labels: ['route', 'broker'],
    help: 'How long a dial took until the connection could be lent.',
  },
  slackwater_upstream_dial_failures_total: {
    type: 'counter',
    labels: ['route', 'broker', 'reason'],
    help: 'Dials that failed.',
  },
  slackwater_lease_waiters: {
    type: 'gauge',
    labels: ['route'],
    help: 'Clients that wait for a broker connection now.',
  },
  slackwater_lease_wait_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'How long requests waited for a broker connection.',
  },
  slackwater_resume_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'From a request that found its pool asleep to its first byte written to the broker.',
  },
  slackwater_requests_total: {
    type: 'counter',
    labels: ['route', 'api'],
    help: 'Requests that were passed on to a broker.',
  },
  slackwater_absorbed_total: {
    type: 'counter',
    labels: ['route', 'api'],
    help: 'Requests that were answered locally.',
  },
  slackwater_bytes_total: {
    type: 'counter',
    labels: ['route', 'direction'],
    help: 'Bytes read from applications (from_clients) and written to them (to_clients).',
  },
  slackwater_reaper_last_run_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the idle detector last ran, in Unix time; of several routes the one that has waited longest; 0 before the first run.',
  },
  slackwater_reaped_total: {
    type: 'counter',
    labels: ['route'],
    help: 'Broker connections that the idle detector let go.',
  },
  slackwater_upstream_stalled_seconds: {
    type: 'counter',
    labels: ['route', 'broker'],
    help: 'For how long brokers did not read from connections that several clients share (Pulsar), or were behind with their answers by half a second or more; looked at twice a second.',
  },
  slackwater_connections_saved: {
    type: 'gauge',
    labels: ['route', 'by'],
    help: 'Broker connections that are not there. By reaping: clients whose pool is asleep; by sharing: other clients less open broker connections.',
  },
  slackwater_listener_bind_failures_total: {
    type: 'counter',
    labels: ['route'],
    help: 'Local listeners of brokers that could not be bound.',
  },
  slackwater_identity_changes_total: {
    type: 'counter',
    labels: ['route', 'change'],
    help: 'Newer credentials and certificates: read from their files, accepted or refused by a broker, or unreadable.',
  },
  slackwater_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    labels: ['route', 'certificate'],
    help: 'When a certificate in use expires, in Unix time; of several of one kind the first. Route is empty for admin_server.',
  },
  slackwater_invariant_violations_total: {
    type: 'counter',
    labels: [],
    help: 'Rules of the core that it broke itself. Anything but 0 is a fault of the sidecar.',
  },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof FAMILIES;
/** Upper bounds, in seconds, of `slackwater_upstream_dial_seconds`. */
export const DIAL_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
