/** What a route is made of, and made with. */
import type { LocalUsers } from '../contract/credential.ts';
import type { MultiplexingContext } from '../contract/multiplexing.ts';
import type { Protocol } from '../contract/protocol.ts';
import type { Topology } from '../contract/topology.ts';
import type { Clock } from './clock.ts';
import type { Observer } from './events.ts';
import type { Identities } from './login.ts';
import type { RouteOptions } from './options.ts';
import type { ListenTls, Network } from './wire.ts';

export interface RouteParts {
  readonly options: RouteOptions;
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly network: Network;
  readonly observe: Observer;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Who clients may be for the brokers; absent: nobody in particular. */
  readonly identities?: Identities;
  /** Who may authenticate to the sidecar. */
  readonly users?: LocalUsers;
  readonly saslPassThrough?: boolean;
  /** For protocols that multiplex. */
  readonly multiplexing?: MultiplexingContext;
  /** How clients are received, asked for each of them; absent: in plaintext. */
  readonly listenTls?: () => ListenTls;
  /** The common name of a client's certificate says which user it is. */
  readonly subjectIsUser?: boolean;
  /** What was known of the cluster when the process ended last: its listeners are opened again. */
  readonly remembered?: Topology;
  /** Told whenever what is known of the cluster has changed. */
  readonly remember?: (topology: Topology) => void;
}
