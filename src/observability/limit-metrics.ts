import { Counter, type Registry } from 'prom-client';

/** What the limits did. Labels are classes and kinds, never who it was. */
export const createLimitMetrics = (registry: Registry) => ({
  /** In `observe` mode: what would have been refused. */
  limited: new Counter({
    name: 'rate_limited_requests_total',
    help: 'Requests over a limit by class of the route, what they were counted by, and mode',
    labelNames: ['class', 'reason', 'mode'] as const,
    registers: [registry],
  }),
  fallbacks: new Counter({
    name: 'rate_limit_fallbacks_total',
    help: 'Counts made in this process because Redis did not answer',
    registers: [registry],
  }),
  delayedLogins: new Counter({
    name: 'login_delayed_total',
    help: 'Logins refused or, in observe mode, counted because of failures before them, by what the failures have in common',
    labelNames: ['reason', 'mode'] as const,
    registers: [registry],
  }),
});
export type LimitMetrics = ReturnType<typeof createLimitMetrics>;
