/** `slackwater upstreams`: every broker connection, why it is open and when it goes. */
import { AdminClient } from './admin-client.ts';
import type { UpstreamsAnswer, UpstreamView } from './answers.ts';
import { adminOptions, defineCommand, jsonOption, routeOption } from './command.ts';
import { DONE } from './exit-codes.ts';
import { leftOut, listOptions } from './lists.ts';
import { table } from './table.ts';
import { ago, count, duration, within } from './words.ts';

export const upstreamsCommand = defineCommand({
  name: 'upstreams',
  summary: 'List the broker connections, each with why it is open and when it goes.',
  options: { ...adminOptions, json: jsonOption, route: routeOption, ...listOptions },
  examples: [
    ['upstreams', 'why is there any connection at all?'],
    ['upstreams --broker 1 --state idle_marked', 'which quiet ones does broker 1 have?'],
  ],
  lesson:
    'States: dialing; using (a client is on it); idle_marked (quiet, lent again or released); ' +
    'before_release (chosen by the detector); released (closing). "goes" holds if nothing happens meanwhile.',
  run: async ({ json, route, broker, state, limit, ...access }, output) => {
    const query = { route, broker, state, limit };
    const client = await AdminClient.open(access);
    const answer = await client.get<UpstreamsAnswer>('/v1/upstreams', query);
    output.out(json ? JSON.stringify(answer, null, 2) : upstreamsText(answer));
    return DONE;
  },
});

export function upstreamsText({ total, upstreams }: UpstreamsAnswer): string {
  if (upstreams.length === 0) return 'no broker connection is open';
  const head = ['id', 'route', 'broker', 'user', 'state', 'age', 'last valid data', 'goes', 'client', 'why'];
  return [...table(head, upstreams.map(row)), ...leftOut(total, upstreams.length)].join('\n');
}

function row(upstream: UpstreamView): string[] {
  return [
    upstream.id,
    upstream.route,
    upstream.broker,
    upstream.identity === '' ? '-' : upstream.identity,
    upstream.state,
    duration(upstream.ageSeconds),
    ago(upstream.lastWorkSecondsAgo),
    upstream.condemned ? 'once free' : within(upstream.releaseInSeconds),
    upstream.client ?? (upstream.tenants === 0 ? '-' : count(upstream.tenants, 'client')),
    upstream.pins.length === 0 ? upstream.why : `${upstream.why} (${upstream.pins.join(', ')})`,
  ];
}
