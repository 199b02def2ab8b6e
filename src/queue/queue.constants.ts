import { NOTIFICATION_JOB_ATTEMPTS, NOTIFICATION_JOB_BACKOFF } from '../contracts/notification-jobs';

const DAY_SECONDS = 24 * 60 * 60;

/**
 * Options of every notification job. Completed jobs stay for a while, because a job's id guards against a second
 * enqueue only as long as the job exists; failed ones stay until an operator has dealt with them.
 */
export const NOTIFICATION_JOB_OPTIONS = {
  attempts: NOTIFICATION_JOB_ATTEMPTS,
  backoff: NOTIFICATION_JOB_BACKOFF,
  removeOnComplete: { age: 30 * DAY_SECONDS, count: 100_000 },
  removeOnFail: false,
  stackTraceLimit: 20,
} as const;

/**
 * How the consumer's worker holds its jobs. Times are milliseconds.
 *
 * A consumer that is killed leaves its jobs `active` with a lock that nobody renews. BullMQ gives such a job back at
 * the first check that finds the lock gone, provided that an earlier check had marked the job. With these numbers
 * that takes between 5 s (lock) and 10 s (lock, then up to two checks); BullMQ's defaults take up to 90 s. A lock that
 * expires although its consumer lives (an event loop blocked for 5 s) costs a second run, which the mailer's
 * sent-once guard makes harmless.
 */
export const WORKER_OPTIONS = {
  lockDuration: 5_000,
  stalledInterval: 2_500,
  /**
   * The default of 1 fails a job whose consumer was killed twice: rolling restarts would drop mails. The welcome mail
   * cannot kill a process, so there is no poisonous job to stop.
   */
  maxStalledCount: 1_000_000_000,
  /** By default a worker that lost Redis sleeps 15 s before it looks again. */
  runRetryDelay: 1_000,
} as const;

/** How long a producer may wait for Redis before the caller is told that it is gone, milliseconds. */
export const PRODUCER_TIMEOUT_MS = 1_000;
