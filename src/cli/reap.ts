/** `slackwater reap`: lets quiet broker connections go now. */
import { AdminClient } from './admin-client.ts';
import type { ReapReport } from './answers.ts';
import { adminOptions, defineCommand, jsonOption, routeOption } from './command.ts';
import { CommandError } from './command-error.ts';
import { DONE, FAILED } from './exit-codes.ts';
import { table } from './table.ts';
import { count } from './words.ts';

export const reapCommand = defineCommand({
  name: 'reap',
  summary: 'Let quiet broker connections go now. Clients stay open.',
  options: {
    ...adminOptions,
    json: jsonOption,
    route: routeOption,
    'older-than': {
      type: 'number',
      default: 0,
      requiresArg: true,
      describe: 'Only without valid data for so many seconds',
    },
    'dry-run': { type: 'boolean', default: false, describe: 'Only say which ones' },
  },
  examples: [
    ['reap --dry-run', 'which ones would go?'],
    ['reap --older-than 30 --route orders', 'the quiet ones of one route, without valid data for 30 s'],
  ],
  lesson:
    'A connection that owes an answer, or that a client is pinned to, is never taken: it is skipped, with the reason.',
  run: async ({ json, route, olderThan: olderThanSeconds, dryRun, ...access }, output) => {
    if (!(olderThanSeconds >= 0)) throw new CommandError('USAGE_INVALID', '--older-than must be a number of seconds');
    const client = await AdminClient.open(access);
    const report = await client.post<ReapReport>('/v1/reap', { route, olderThanSeconds, dryRun });
    output.out(json ? JSON.stringify(report, null, 2) : reapText(report, dryRun));
    return report.failed > 0 ? FAILED : DONE;
  },
});

export function reapText({ chosen, matched, released, skipped, failed }: ReapReport, dryRun: boolean): string {
  const done = dryRun
    ? `${count(matched, 'broker connection')} would be released${chosen.length > 0 ? `: ${chosen.join(', ')}` : ''}`
    : `${released} of ${count(matched, 'quiet broker connection')} released`;
  const lines = [failed > 0 ? `${done}, ${failed} failed` : done];
  if (skipped.length > 0) {
    lines.push(
      ...table(
        ['skipped', 'because'],
        skipped.map(({ id, reason }) => [id, reason]),
        '  ',
      ),
    );
  }
  return lines.join('\n');
}
