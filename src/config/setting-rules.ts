/** Checks between the keys that the top level has for all routes and that each route may override. */
import { type Settings, settingsOf } from './effective.ts';
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { Config } from './schema.ts';

/** A shorter idle time is for tests: it would cost more dials than it saves connections. */
export const SHORTEST_IDLE_SECONDS = 30;
/** What a release may take beyond idle time and interval, and a little more. */
const CEILING_MARGIN_SECONDS = 10;

interface SettingRule {
  /** The keys that the rule reads, the one to change first. */
  readonly keys: readonly KeyPath[];
  readonly fault: (settings: Settings) => string | undefined;
}

const RULES: readonly SettingRule[] = [
  {
    keys: [['connectionMaxIdleSeconds'], ['allowShortIdle']],
    fault: (settings) => shortIdle(settings.connectionMaxIdleSeconds, settings.allowShortIdle),
  },
  {
    keys: [['clientMaxIdleSeconds'], ['allowShortIdle']],
    fault: (settings) => shortIdle(settings.clientMaxIdleSeconds, settings.allowShortIdle),
  },
  {
    keys: [
      ['connectionMaxIdleSeconds'],
      ['connectionIdleDetectionIntervalSeconds'],
      ['idleCeilingSeconds'],
      ['allowAboveCeiling'],
      ['autoReleaseIdleConnectionsEnabled'],
    ],
    fault: aboveCeiling,
  },
  {
    keys: [
      ['upstream', 'dialTimeoutMilliseconds'],
      ['pool', 'maxWaitMilliseconds'],
    ],
    fault: ({ upstream, pool }) =>
      upstream.dialTimeoutMilliseconds < pool.maxWaitMilliseconds
        ? undefined
        : `a dial may take ${upstream.dialTimeoutMilliseconds} ms, which must be less than the ` +
          `${pool.maxWaitMilliseconds} ms of pool.maxWaitMilliseconds`,
  },
  {
    keys: [
      ['limits', 'wholeFrameBytes'],
      ['limits', 'maxFrameBytes'],
    ],
    fault: ({ limits }) =>
      limits.wholeFrameBytes <= limits.maxFrameBytes
        ? undefined
        : `limits.wholeFrameBytes (${limits.wholeFrameBytes} bytes) must not exceed limits.maxFrameBytes ` +
          `(${limits.maxFrameBytes} bytes)`,
  },
  {
    keys: [
      ['pool', 'minWarmConnectionsPerBroker'],
      ['pool', 'maxConnectionsPerBroker'],
    ],
    fault: ({ pool }) =>
      pool.minWarmConnectionsPerBroker <= pool.maxConnectionsPerBroker
        ? undefined
        : `${pool.minWarmConnectionsPerBroker} warm connections must not exceed the ` +
          `${pool.maxConnectionsPerBroker} of pool.maxConnectionsPerBroker`,
  },
];

export function settingFaults(config: Config): RuleFault[] {
  return RULES.flatMap((rule) => [...topFaults(rule, config), ...routeFaults(rule, config)]);
}

function topFaults(rule: SettingRule, config: Config): RuleFault[] {
  const message = rule.fault(settingsOf(config));
  return message === undefined ? [] : [{ at: rule.keys, on: [], mark: 'value', message }];
}

/** Only what a route changes is judged again: what it takes over was judged at the top level. */
function routeFaults(rule: SettingRule, config: Config): RuleFault[] {
  return config.routes.flatMap((route, index): RuleFault[] => {
    const own = rule.keys.filter((key) => valueAt(route, key) !== undefined);
    const message = own.length === 0 ? undefined : rule.fault(settingsOf(config, route));
    if (message === undefined) return [];
    const inRoute = (key: KeyPath): KeyPath => ['routes', index, ...key];
    const inherited = rule.keys.filter((key) => !own.includes(key));
    return [{ at: own.map(inRoute), on: [...inherited, ...inherited.map(inRoute)], mark: 'value', message }];
  });
}

function shortIdle(seconds: number, allowed: boolean): string | undefined {
  if (seconds === 0 || seconds >= SHORTEST_IDLE_SECONDS || allowed) return undefined;
  return `must be 0 or at least ${SHORTEST_IDLE_SECONDS} seconds, not ${seconds}, unless allowShortIdle is true`;
}

function aboveCeiling(settings: Settings): string | undefined {
  const { connectionMaxIdleSeconds: idle, connectionIdleDetectionIntervalSeconds: interval } = settings;
  const ceiling = settings.idleCeilingSeconds;
  if (settings.allowAboveCeiling || !settings.autoReleaseIdleConnectionsEnabled || idle === 0) return undefined;
  const latest = idle + interval + CEILING_MARGIN_SECONDS;
  if (latest < ceiling) return undefined;
  return (
    `${idle} s idle + ${interval} s detection interval + ${CEILING_MARGIN_SECONDS} s reach idleCeilingSeconds ` +
    `(${ceiling} s), when others cut the connection: lower them, or set allowAboveCeiling`
  );
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, part) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, part) : undefined),
    value,
  );
}
