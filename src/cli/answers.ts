/** What the admin listener answers, as far as the command line uses it; docs/api.md has every field. */
import type { ClientView, ReapReport, RouteView, UpstreamView } from '../core/views.ts';

export type { ClientView, ReapReport, RouteView, UpstreamView };

export interface RecentEvent {
  readonly event: string;
  readonly route: string;
  readonly broker?: string;
  readonly reason?: string;
  readonly at: string;
  readonly count: number;
  readonly level: string;
  readonly message: string;
  readonly detail: string;
  readonly remedy?: string;
}

export interface RoutesAnswer {
  readonly routes: readonly RouteView[];
  readonly recent: readonly RecentEvent[];
}

export interface VersionAnswer {
  readonly version: string;
  readonly node: string;
  readonly state: 'starting' | 'ready' | 'stopping';
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly logLevel: string;
}

export interface UpstreamsAnswer {
  readonly total: number;
  readonly upstreams: readonly UpstreamView[];
}

export interface ClientsAnswer {
  readonly total: number;
  readonly clients: readonly ClientView[];
}
