import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { z } from 'zod';

import {
  isNoticeName,
  type NoticeHandlers,
  NOTICES,
  NOTIFICATIONS_QUEUE,
  type UserRegisteredJob,
  userRegisteredSchema,
} from '../contracts/notification-jobs';
import { type RedisAddress, workerConnectionOptions } from '../redis/connection';
import { reasonOf, toJobFailure } from './job-failure';
import type { QueueLogger } from './queue.client';
import { within } from './queue.connection';
import { WORKER_OPTIONS } from './queue.constants';
import { telemetryOptions } from './queue.telemetry';

/** Anything that counts: a prom-client counter is one. */
export interface Counter {
  inc(): void;
}

export interface QueueCounters {
  /** Jobs done. */
  readonly completed: Counter;
  /** Attempts that failed, the last ones included. */
  readonly failed: Counter;
  /** Jobs that failed for good. */
  readonly deadLettered: Counter;
  /** Jobs taken back from a consumer that died. */
  readonly stalled: Counter;
}

export interface QueueConsumerDeps {
  readonly redis: RedisAddress;
  /** Prefix of every BullMQ key: `QUEUE_PREFIX`. */
  readonly prefix: string;
  /** Name of the job: `USER_REGISTERED_JOB`. */
  readonly userRegisteredJob: string;
  /** Jobs worked on at once. */
  readonly concurrency: number;
  /** Whether carrying out a job is a part of the trace that it belongs to. */
  readonly isTraced?: boolean;
  readonly logger: QueueLogger;
  readonly counters: QueueCounters;
  /** Must be idempotent by `userId`: a job runs again when its consumer died. An error with `permanent: true` is final. */
  readonly sendWelcomeMail: (job: UserRegisteredJob) => Promise<unknown>;
  /** Whoever sends the other notices. Without one its jobs are left to the retries, for a consumer that has it. */
  readonly notices?: Partial<NoticeHandlers>;
}

/** With Redis away a disconnect has nobody to wait for. */
const DISCONNECT_TIMEOUT_MS = 200;

/** The first few problems of an invalid payload, by field; never a value. */
const problemsOf = (issues: readonly { path: PropertyKey[]; code: string }[]): string =>
  issues
    .slice(0, 5)
    .map(({ path, code }) => `${path.map(String).join('.') || 'payload'} ${code}`)
    .join(', ');

/** Hands a payload that is what its contract says to whoever carries it out. */
const run = async (schema: z.ZodType, handle: (payload: never) => Promise<unknown>, data: unknown): Promise<void> => {
  const payload = schema.safeParse(data);
  if (!payload.success) throw new UnrecoverableError(`Invalid payload: ${problemsOf(payload.error.issues)}`);
  try {
    await handle(payload.data as never);
  } catch (error) {
    throw toJobFailure(error);
  }
};

/** Works on the notifications queue from the moment it is created. */
export const createQueueConsumer = (deps: QueueConsumerDeps) => {
  const { redis, prefix, userRegisteredJob, concurrency, logger, counters, sendWelcomeMail, notices = {} } = deps;

  const processJob = async (job: Job<unknown>): Promise<void> => {
    const { name, data } = job;
    if (name === userRegisteredJob) return run(userRegisteredSchema, sendWelcomeMail, data);
    const handle = isNoticeName(name) ? notices[name] : undefined;
    // A newer release may enqueue notices that this one does not know: left to the retries, a newer consumer gets them.
    if (!isNoticeName(name) || handle === undefined) throw new Error(`No handler for a job named ${name}`);
    return run(NOTICES[name], handle, data);
  };

  const worker = new Worker<unknown>(NOTIFICATIONS_QUEUE, processJob, {
    ...WORKER_OPTIONS,
    connection: workerConnectionOptions(redis),
    prefix,
    concurrency,
    ...telemetryOptions(deps.isTraced === true),
  });

  worker.on('completed', (job) => {
    counters.completed.inc();
    logger.info({ jobId: job.id, jobName: job.name, attempt: job.attemptsMade }, 'job completed');
  });
  worker.on('failed', (job, error) => {
    // All that `processJob` throws is free of personal data.
    counters.failed.inc();
    const fields = { jobId: job?.id, jobName: job?.name, attempt: job?.attemptsMade, reason: error.message };
    if (typeof job?.finishedOn !== 'number') {
      logger.warn(fields, 'job failed and will be tried again');
      return;
    }
    counters.deadLettered.inc();
    logger.error(fields, 'job failed for good: a dead letter');
  });
  worker.on('stalled', (jobId) => {
    counters.stalled.inc();
    logger.warn({ jobId }, 'job taken back from a consumer that died');
  });

  let lost = false;
  worker.on('error', (error) => {
    // Every attempt to reconnect reports an error; one line per outage is enough.
    if (!lost)
      logger.warn({ reason: reasonOf(error), errorCode: (error as NodeJS.ErrnoException).code }, 'queue worker error');
    lost = true;
  });
  worker.on('active', () => {
    lost = false;
  });

  let closing: Promise<boolean> | undefined;

  const drain = async (timeoutMs: number): Promise<boolean> => {
    const closed = worker.close();
    try {
      await within(timeoutMs, closed);
      return true;
    } catch {
      logger.warn({ timeoutMs }, 'queue worker closed before its jobs were done; other consumers take them over');
      // BullMQ cannot turn a graceful close into a forced one; without connections the close comes to its end.
      await within(DISCONNECT_TIMEOUT_MS, worker.disconnect()).catch(() => undefined);
      return false;
    }
  };

  return {
    /** @returns whether the worker takes jobs and Redis answers within `timeoutMs` milliseconds */
    isReady: async (timeoutMs = 1_000): Promise<boolean> => {
      if (closing !== undefined || !worker.isRunning()) return false;
      try {
        // INFO over BullMQ's own connection; it waits for Redis for ever, hence the limit.
        await within(
          timeoutMs,
          worker.waitUntilReady().then(async () => (await worker.backend.client).info()),
        );
        return true;
      } catch {
        return false;
      }
    },
    /**
     * Takes no more jobs and waits for the running ones, at most `timeoutMs` milliseconds. What is not done by then
     * comes back in another consumer some seconds after this process has ended.
     *
     * @returns whether every running job was done
     */
    close: (timeoutMs: number): Promise<boolean> => (closing ??= drain(timeoutMs)),
  };
};
export type QueueConsumer = ReturnType<typeof createQueueConsumer>;
