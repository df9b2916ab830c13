/** Which link a purpose asks for. */
import type { Link, LinkContext } from './link.ts';
import { LookupLink } from './lookup-link.ts';
import { OwnLink } from './own-link.ts';
import type { PulsarRoute } from './route.ts';

export function linkFor<T>(route: PulsarRoute, context: LinkContext, purpose: string): Link<T> {
  if (purpose.startsWith('own:')) return new OwnLink<T>(route, context);
  return new LookupLink<T>(route, context);
}
