/** What a protocol whose connections serve several clients needs of the configuration. */
import type { MultiplexingContext, PassedCredentials } from '../contract/multiplexing.ts';
import { brokerFilter } from './broker-patterns.ts';
import type { EffectiveRoute } from './effective.ts';

/** What clients show is shown to brokers: the route itself has nothing to show. */
export function passesOnCredentials({ protocol, upstream }: EffectiveRoute): boolean {
  return protocol === 'pulsar' && upstream.auth === null;
}

/** @param passed null: the sidecar shows what is its own */
export function multiplexingOf(route: EffectiveRoute, passed: PassedCredentials | null): MultiplexingContext {
  const { upstream, limits, rewritesLookups, keepTopicsAlive } = route;
  return {
    wholeFrameBytes: limits.wholeFrameBytes,
    passed,
    isUpstreamSecured: upstream.tls !== null,
    isAllowedBroker: brokerFilter(upstream.allowedBrokers, upstream.bootstrap),
    rewritesLookups,
    keepsTopicsAlive: keepTopicsAlive,
  };
}
