/** The part of the Compose specification that docker-compose.yml uses; a key that is not here is a typing error. */
import { z } from 'zod';

const text = z.union([z.string(), z.number()]);
const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/);

const healthcheck = z.strictObject({
  test: z.tuple([z.literal('CMD')], z.string()),
  interval: duration,
  timeout: duration,
  retries: z.number().int(),
  start_period: duration.optional(),
});

const service = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  environment: z.record(z.string(), text).optional(),
  healthcheck: healthcheck.optional(),
  depends_on: z
    .record(
      z.string(),
      z.strictObject({
        condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
        restart: z.boolean().optional(),
      }),
    )
    .optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  network_mode: z.string().optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: duration.optional(),
});
export type Service = z.output<typeof service>;

export const composeSchema = z.strictObject({ name: z.string(), services: z.record(z.string(), service) });
