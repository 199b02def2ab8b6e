import { z } from 'zod';

import { duration, integer, port, text } from './fields';

export const queueEnv = z.object({
  QUEUE_PREFIX: text('meqenet:auth', 'Prefix of every BullMQ key in Redis'),
  USER_REGISTERED_JOB: text('user:registered', 'Name of the job that a verified registration enqueues'),
  QUEUE_CONCURRENCY: integer(8, 1, 200, 'Jobs that one consumer works on at once'),
  NOTICE_SWEEP_INTERVAL: duration(
    '30s',
    'So often notices are enqueued that were left behind for as long, by a process that died or while Redis was away',
    1_000,
  ),
  CONSUMER_METRICS_PORT: port(9465, 'Port of the consumer for /healthz, /readyz and /metrics'),
});

/** BullMQ. */
export const toQueueConfig = (env: z.output<typeof queueEnv>) => ({
  prefix: env.QUEUE_PREFIX,
  userRegisteredJob: env.USER_REGISTERED_JOB,
  concurrency: env.QUEUE_CONCURRENCY,
  noticeSweepIntervalMs: env.NOTICE_SWEEP_INTERVAL,
  metricsPort: env.CONSUMER_METRICS_PORT,
});
export type QueueConfig = ReturnType<typeof toQueueConfig>;
