/** `slackwater clients`: every socket of an application, and what it waits for or holds. */
import { AdminClient } from './admin-client.ts';
import type { ClientsAnswer, ClientView } from './answers.ts';
import { adminOptions, defineCommand, jsonOption, routeOption } from './command.ts';
import { DONE } from './exit-codes.ts';
import { leftOut, listOptions } from './lists.ts';
import { table } from './table.ts';
import { ago, duration } from './words.ts';

export const clientsCommand = defineCommand({
  name: 'clients',
  summary: 'List the sockets of applications, each with what it waits for or holds.',
  options: { ...adminOptions, json: jsonOption, route: routeOption, ...listOptions },
  examples: [
    ['clients --state attached', 'who keeps a broker connection right now, and why?'],
    ['clients --route orders --json', 'the same facts for a script'],
  ],
  lesson:
    'States: idle (nothing owed, others use its broker); parked (nothing owed, and its broker holds no connection); ' +
    'waiting (for a broker connection); attached (holds one). "goes" is set by clientMaxIdleSeconds. What Pulsar clients ' +
    'have open stands below: a parked producer is unknown to its broker until its next message.',
  run: async ({ json, route, broker, state, limit, ...access }, output) => {
    const query = { route, broker, state, limit };
    const client = await AdminClient.open(access);
    const answer = await client.get<ClientsAnswer>('/v1/clients', query);
    output.out(json ? JSON.stringify(answer, null, 2) : clientsText(answer));
    return DONE;
  },
});

export function clientsText({ total, clients }: ClientsAnswer): string {
  if (clients.length === 0) return 'no application is connected';
  const head = [
    'id',
    'route',
    'from',
    'came in by',
    'broker',
    'user',
    'state',
    'age',
    'last valid data',
    'goes',
    'connection',
    'why',
  ];
  return [...table(head, clients.map(row)), ...leftOut(total, clients.length), ...openLines(clients)].join('\n');
}

/** What clients have open at brokers, where the protocol tells. */
function openLines(clients: readonly ClientView[]): string[] {
  const rows = clients.flatMap(({ id, route, registrations }) =>
    registrations.map(({ kind, topic, name, broker, state, upstream, isShared, keptBy }) => [
      id,
      route,
      kind,
      topic,
      name === '' ? '-' : name,
      broker,
      state,
      upstream === null ? '-' : `${upstream} ${isShared ? 'shared' : 'own'}`,
      keptBy === '' ? '-' : keptBy,
    ]),
  );
  const head = ['client', 'route', 'has open', 'topic', 'name', 'broker', 'state', 'connection', 'kept by'];
  return rows.length === 0 ? [] : ['', ...table(head, rows)];
}

function row(client: ClientView): string[] {
  return [
    client.id,
    client.route,
    client.remote,
    client.listener,
    client.broker ?? '-',
    client.identity === '' ? '-' : client.identity,
    client.state,
    duration(client.ageSeconds),
    ago(client.lastWorkSecondsAgo),
    client.closesInSeconds === null ? 'never' : `in ${duration(client.closesInSeconds)}`,
    client.upstream ?? '-',
    client.why,
  ];
}
