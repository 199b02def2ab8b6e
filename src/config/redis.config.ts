import { z } from 'zod';

import { flag, integer, optionalSecret, optionalText, port, reloadable, text } from './fields';
import { clientTlsFields, toClientTls } from './tls.config';

export const redisEnv = z.object({
  REDIS_HOST: text('localhost', 'Host of Redis or Valkey'),
  REDIS_PORT: port(6379, 'Port of Redis or Valkey'),
  REDIS_DB: integer(0, 0, 15, 'Logical database number'),
  REDIS_USERNAME: optionalText('User name, where Redis asks for one'),
  REDIS_PASSWORD: reloadable(optionalSecret('Password, where Redis asks for one')),
  REDIS_TLS: flag(false, 'TLS to Redis (rediss), whose certificate must be valid'),
  ...clientTlsFields('REDIS', 'Redis'),
});

/** The one place that knows how to reach Redis: the queue, the limiter and the cache all take `connection`. */
export const toRedisConfig = (env: z.output<typeof redisEnv>) => ({
  connection: {
    host: env.REDIS_HOST,
    port: env.REDIS_PORT,
    db: env.REDIS_DB,
    ...(env.REDIS_USERNAME !== undefined && { username: env.REDIS_USERNAME }),
    ...(env.REDIS_PASSWORD !== undefined && { password: env.REDIS_PASSWORD }),
    ...(env.REDIS_TLS && { tls: toClientTls('REDIS', env) }),
  },
});
export type RedisConfig = ReturnType<typeof toRedisConfig>;
