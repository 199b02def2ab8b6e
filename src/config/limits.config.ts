import { z } from 'zod';

import { choice, duration, integer, reloadable } from './fields';
import { limitPolicy } from './limit-policy';

const classLimit = (defaultValue: string, description: string) => reloadable(limitPolicy(defaultValue, description));

export const limitsEnv = z.object({
  RATE_LIMIT_MODE: reloadable(
    choice(
      ['enforce', 'observe'],
      'enforce',
      'observe counts and reports but refuses nothing, for load tests; refused in production',
    ),
  ),
  RATE_LIMIT_REDIS_TIMEOUT: duration(
    '40ms',
    'No request waits longer for Redis to count it; then it is counted in the process',
  ),
  RATE_LIMIT_CREDENTIALS: classLimit(
    'account=60,address=300,range=1500,caller=60,window=1m',
    'Limits of logins and of everything else that a guess could get past',
  ),
  RATE_LIMIT_REGISTRATION: classLimit(
    'account=60,address=120,range=600,caller=60,window=1m',
    'Limits of registrations and of mails that anyone can cause',
  ),
  RATE_LIMIT_SESSION: classLimit(
    'caller=600,address=1200,range=6000,window=1m',
    'Limits of refreshes, logouts and changes to the own account',
  ),
  RATE_LIMIT_READ: classLimit('caller=3000,address=3000,range=15000,window=1m', 'Limits of what changes nothing'),
  RATE_LIMIT_ADMIN: classLimit('caller=300,address=600,range=3000,window=1m', 'Limits of administrative acts'),
  LOCKOUT_FREE_FAILURES: reloadable(
    integer(10, 1, 50, 'Failed logins in a row from one place or known device before the next one has to wait'),
  ),
  LOCKOUT_BASE_DELAY: reloadable(
    duration('1s', 'First wait after too many failed logins; each further one doubles it'),
  ),
  LOCKOUT_MAX_DELAY: reloadable(duration('15m', 'Longest wait between two failed logins')),
  LOCKOUT_MAX_FAILURES: reloadable(
    integer(
      50,
      2,
      50,
      'Failed logins in a row of one e-mail address or phone by unknown devices until they are refused for LOCKOUT_FORGET_AFTER; an account has two of them and NIST SP 800-63B-4 allows 100',
    ),
  ),
  LOCKOUT_FORGET_AFTER: reloadable(duration('24h', 'Failed logins are forgotten when none has followed for so long')),
});

/** Rate limits by class, and the delays after failed logins. Times are milliseconds. */
export const toLimitsConfig = (env: z.output<typeof limitsEnv>) => ({
  mode: env.RATE_LIMIT_MODE,
  redisTimeoutMs: env.RATE_LIMIT_REDIS_TIMEOUT,
  classes: {
    credentials: env.RATE_LIMIT_CREDENTIALS,
    registration: env.RATE_LIMIT_REGISTRATION,
    session: env.RATE_LIMIT_SESSION,
    read: env.RATE_LIMIT_READ,
    admin: env.RATE_LIMIT_ADMIN,
  },
  lockOut: {
    freeFailures: env.LOCKOUT_FREE_FAILURES,
    baseDelayMs: env.LOCKOUT_BASE_DELAY,
    maxDelayMs: env.LOCKOUT_MAX_DELAY,
    maxFailures: env.LOCKOUT_MAX_FAILURES,
    forgetAfterMs: env.LOCKOUT_FORGET_AFTER,
  },
});
export type LimitsConfig = ReturnType<typeof toLimitsConfig>;
