/** Which closes of an application's connection have a cause. */
import type { CLOSE_REASONS } from '../../src/contract/reasons.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import type { Application } from './application.ts';
import type { World } from './world.ts';

type Rule = (application: Application, world: World) => boolean;

const RULES: Partial<Record<(typeof CLOSE_REASONS)[number], Rule>> = {
  client_closed: ({ hasEnded, hasReset }) => hasEnded || hasReset,
  client_reset: ({ hasReset }) => hasReset,
  protocol_error: ({ hasSentGarbage }) => hasSentGarbage,
  upstream_unavailable: (_application, { hasFailedDials }) => hasFailedDials,
  /** A request of its was neither answered nor passed on for so long. */
  wait_timeout: ({ number, app, sent }, { ledgers, now }) => {
    const settled = new Set([...app.ids, ...[...ledgers.values()].flatMap((ledger) => ledger.requestsOf(number))]);
    return sent.some(({ id, time }) => !settled.has(id) && now - time >= 5000);
  },
  too_many_waiters: (_application, { apps }) => apps.filter(({ isOpen }) => isOpen).length > 6,
  /** It does not read, it has not sent all, or what it sent is still on its way. */
  stalled: ({ clogged, unsent, app }) => clogged || unsent.length > 0 || app.peer.wire.canDeliverIn,
  operator: () => true,
  /** Something of this client's was under way, or it was pinned. */
  upstream_lost: (application, { ledgers }) => {
    const { number, app, sent } = application;
    if (sent.some(({ word }) => word === 'odd' || word === 'share')) return true;
    const answered = new Set(app.ids);
    return [...ledgers.values()].some(
      (ledger) =>
        ledger.open.some((id) => ledger.requestsOf(number).includes(id)) ||
        ledger.requestsOf(number).some((id) => !answered.has(id)) ||
        ledger.inRequest,
    );
  },
};

type Disconnected = Extract<CoreEvent, { type: 'client.disconnected' }>;

export function closeFault(world: World, { client, reason, detail }: Disconnected): string | undefined {
  const application = world.apps.find((candidate) => candidate.client === client);
  if (application === undefined || world.ending) return undefined;
  const rule = RULES[reason];
  if (rule === undefined) return `${client} was closed for ${reason}: ${detail}`;
  return rule(application, world) ? undefined : `${client} was closed for ${reason} without a cause: ${detail}`;
}
