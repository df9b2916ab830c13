/** What the admin endpoints accept, and how what they do not accept is told. */
import { z } from 'zod';
import { CLIENT_STATES, UPSTREAM_STATES } from '../core/views.ts';
import { AdminError } from './admin-error.ts';

const list = {
  route: z.string().optional(),
  broker: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100_000).default(1000),
};

export const noQuery = z.strictObject({});
export const routesQuery = z.strictObject({ route: list.route });
export const upstreamsQuery = z.strictObject({ ...list, state: z.enum(UPSTREAM_STATES).optional() });
export const clientsQuery = z.strictObject({ ...list, state: z.enum(CLIENT_STATES).optional() });
export const deleteQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') });
export const reapBody = z.strictObject({
  route: z.string().optional(),
  olderThanSeconds: z.number().min(0).default(0),
  dryRun: z.boolean().default(false),
});
export const logLevelBody = z.strictObject({ level: z.string() });

/** @throws {AdminError} REQUEST_INVALID that names every fault */
export function accept<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  throw new AdminError('REQUEST_INVALID', faults.join('; '));
}
