/** `slackwater status`: one screen about a running sidecar. */
import { AdminClient } from './admin-client.ts';
import type { RecentEvent, RoutesAnswer, RouteView, VersionAnswer } from './answers.ts';
import { adminOptions, defineCommand, jsonOption } from './command.ts';
import { DONE } from './exit-codes.ts';
import { printable, table } from './table.ts';
import { ago, count, duration } from './words.ts';

const RECENT = 10;
const SHARING: Readonly<Record<RouteView['sharing'], string>> = {
  route: 'clients share broker connections',
  user: 'the clients of each user share broker connections',
  none: 'none: every client keeps a broker connection of its own for as long as it lives',
};

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'Show what a running sidecar does, on one screen.',
  options: { ...adminOptions, json: jsonOption },
  examples: [['status', 'routes, brokers, clients, connections saved, and recent trouble']],
  lesson:
    'A client that is parked is open, and its broker holds no connection for it. ' +
    'A broker that is asleep is well and has no connection of ours; one that is down could not be reached.',
  run: async ({ json, ...access }, output) => {
    const client = await AdminClient.open(access);
    const [version, answer] = await Promise.all([
      client.get<VersionAnswer>('/v1/version'),
      client.get<RoutesAnswer>('/v1/routes'),
    ]);
    output.out(json ? JSON.stringify({ ...version, ...answer }, null, 2) : statusText(version, answer, Date.now()));
    return DONE;
  },
});

/** @param now Unix milliseconds */
export function statusText(version: VersionAnswer, { routes, recent }: RoutesAnswer, now: number): string {
  const lines = [`slackwater ${version.version}  ${version.state}  up ${duration(version.uptimeSeconds)}`];
  for (const route of routes) lines.push('', ...routeLines(route, recent));
  if (recent.length > 0) lines.push('', 'lately', ...recent.slice(0, RECENT).flatMap((each) => recentLines(each, now)));
  return lines.join('\n');
}

function routeLines(route: RouteView, recent: readonly RecentEvent[]): string[] {
  const { clients, upstreams, brokers, connectionsSaved: saved } = route;
  // Pulsar's clusters have no id.
  const known = route.clusterId === null ? count(brokers.length, 'broker') : `cluster ${route.clusterId}`;
  const cluster = route.learnt ? known : unlearnt(route, recent);
  const heading = `route ${route.name} (${route.protocol})  ${route.listen} -> ${route.bootstrap.join(', ')}  ${cluster}`;
  // Pulsar's brokers are reached through the one address, unless they have listeners: then one without is served nowhere.
  const through = route.protocol === 'pulsar' && brokers.every(({ local }) => local === null);
  const elsewhere = through ? route.listen : 'nowhere';
  return [
    printable(heading),
    `  sharing      ${SHARING[route.sharing]}`,
    `  clients      ${summary(clients)}`,
    `  connections  ${summary(upstreams)}`,
    `  saved        ${saved.reaping + saved.sharing}: ${saved.reaping} by reaping, ${saved.sharing} by sharing`,
    ...(brokers.length === 0
      ? []
      : table(
          ['broker', 'state', 'advertised as', 'served on', 'connections', 'waiting'],
          brokers.map((broker) => [
            broker.broker,
            broker.state,
            broker.address,
            broker.local ?? elsewhere,
            String(broker.upstreams),
            String(broker.waiters),
          ]),
          '  ',
        )),
  ];
}

function unlearnt({ name }: RouteView, recent: readonly RecentEvent[]): string {
  const failed = recent.find(({ event, route }) => event === 'upstream.dial_failed' && route === name);
  return `no broker has answered yet${failed?.reason === undefined ? '' : `: ${failed.reason}`}`;
}

/** `52 (9 idle, 43 parked)`: states without any are left out. */
function summary(states: Readonly<Record<string, number>>): string {
  const some = Object.entries(states).filter(([, number]) => number > 0);
  const total = some.reduce((sum, [, number]) => sum + number, 0);
  return total === 0 ? '0' : `${total} (${some.map(([state, number]) => `${number} ${state}`).join(', ')})`;
}

function recentLines(event: RecentEvent, now: number): string[] {
  const when = ago(Math.max(0, (now - Date.parse(event.at)) / 1000));
  const where = event.broker === undefined ? event.route : `${event.route}, broker ${event.broker}`;
  const reason = event.reason === undefined ? '' : ` (${event.reason})`;
  const times = event.count === 1 ? '' : `, ${count(event.count, 'time')} so far`;
  const detail = event.detail === '' ? '' : `: ${event.detail}`;
  const line = `  ${when.padEnd(12)} ${event.level.padEnd(5)} ${event.message}${reason}, route ${where}${times}${detail}`;
  return [line, ...(event.remedy === undefined ? [] : [`${' '.repeat(21)}${event.remedy}`])].map(printable);
}
