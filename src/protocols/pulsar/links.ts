/** Which link a purpose asks for. */
import type { Link, LinkContext } from './link.ts';
import { LookupLink } from './lookup-link.ts';
import { OwnLink } from './own-link.ts';
import { isBulk, ownerOf, speechOf } from './purposes.ts';
import type { PulsarRoute } from './route.ts';
import { SharedLink } from './shared-link.ts';

export function linkFor<T>(route: PulsarRoute, context: LinkContext, purpose: string): Link<T> {
  if (isBulk(purpose)) return new SharedLink<T>(route, context, true);
  if (ownerOf(purpose) !== null) return new OwnLink<T>(route, context);
  if (speechOf(purpose) !== null) return new SharedLink<T>(route, context, false);
  return new LookupLink<T>(route, context);
}
