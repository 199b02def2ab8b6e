import { createRouteLimits } from '../api/middleware/rate-limit';
import { deriveKey } from '../crypto/derive-key';
import { createLockOut } from '../identity/lock-out';
import { createCounterStore } from '../limits/counter-store';
import { createRateLimiter } from '../limits/rate-limiter';
import { createLimitMetrics } from '../observability/limit-metrics';
import { createCountingConnection } from '../redis/connection';
import { createLoginFailureRepository } from '../repositories/login-failure-repository';
import { createLoginRepository } from '../repositories/login-repository';

import type { Data } from './data';
import type { ProcessContext } from './process';

/** Limits of requests by Redis, and delays of logins by the database. */
export const buildLimits = (
  { config, metrics }: ProcessContext<'limits' | 'security' | 'redis'>,
  { database, blindIndex }: Data,
) => {
  const { limits, security, redis } = config;
  const { fallbacks, limited, delayedLogins } = createLimitMetrics(metrics.registry);
  const limiter = createRateLimiter({
    store: createCounterStore({
      redis: createCountingConnection(redis.connection, limits.redisTimeoutMs),
      onFallback: () => {
        fallbacks.inc();
      },
    }),
    config: limits,
    key: deriveKey(security.tokenKey, 'rate-limit'),
    onLimited: (limitClass, reason, mode) => {
      limited.inc({ class: limitClass, reason, mode });
    },
  });
  const lockOut = createLockOut({
    logins: createLoginRepository(database),
    failures: createLoginFailureRepository(database),
    key: deriveKey(security.tokenKey, 'lock-out'),
    config: limits,
    onDelayed: (reason, mode) => {
      delayedLogins.inc({ reason, mode });
    },
  });
  return { routeLimits: createRouteLimits({ limiter, blindIndex }), lockOut, close: () => limiter.close() };
};
