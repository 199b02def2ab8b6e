import { z } from 'zod';

import { duration, integer, reloadable, secretUrl } from './fields';

export const databaseEnv = z.object({
  DATABASE_URL: reloadable(
    secretUrl(
      ['postgresql', 'postgres'],
      'PostgreSQL connection; a new one is used by every new connection',
      'postgresql://meqenet:<password>@localhost:5432/meqenet_auth',
    ),
  ),
  DATABASE_POOL_SIZE: integer(10, 1, 200, 'Connections that one process keeps at most'),
  DATABASE_CONNECT_TIMEOUT: duration('3s', 'How long to wait for a connection'),
  DATABASE_QUERY_TIMEOUT: duration('5s', 'Longest time for one statement'),
});

/** PostgreSQL. Times are milliseconds. */
export const toDatabaseConfig = (env: z.output<typeof databaseEnv>) => ({
  url: env.DATABASE_URL,
  poolSize: env.DATABASE_POOL_SIZE,
  connectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT,
  queryTimeoutMs: env.DATABASE_QUERY_TIMEOUT,
});
export type DatabaseConfig = ReturnType<typeof toDatabaseConfig>;
