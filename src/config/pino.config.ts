import { z } from 'zod';

import { choice, reloadable, text } from './fields';

export const pinoEnv = z.object({
  LOG_LEVEL: reloadable(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', 'Least severe level that is logged'),
  ),
  OTEL_SERVICE_NAME: text('meqenet-auth-service', 'Name of the service in logs and traces'),
});

/** Logging. */
export const toPinoConfig = (env: z.output<typeof pinoEnv>) => ({
  level: env.LOG_LEVEL,
  serviceName: env.OTEL_SERVICE_NAME,
});
export type PinoConfig = ReturnType<typeof toPinoConfig>;
