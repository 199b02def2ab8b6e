import { createQueueClient, type QueueClientDeps } from './queue.client';

/** Looking through many jobs takes longer than adding one. Milliseconds. */
const INSPECTION_TIMEOUT_MS = 5_000;

/** A job that failed for good, as an operator may see it: without its payload, which holds an e-mail address. */
export interface DeadLetter {
  readonly jobId: string;
  readonly name: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date | undefined;
}

/** What operators do with jobs that failed for good, and how many jobs there are in each state. */
export const createDeadLetters = (deps: QueueClientDeps) => {
  const client = createQueueClient(deps);
  return {
    /**
     * @param offset how many of the newest to skip
     * @param limit how many to return
     * @returns the newest first
     * @throws {QueueUnavailableError}
     */
    listFailed: async ({ offset = 0, limit = 100 } = {}): Promise<DeadLetter[]> => {
      const jobs = await client.use((queue) => queue.getFailed(offset, offset + limit - 1), INSPECTION_TIMEOUT_MS);
      return jobs.map((job) => ({
        jobId: job.id ?? '',
        name: job.name,
        reason: job.failedReason,
        attempts: job.attemptsMade,
        failedAt: job.finishedOn === undefined ? undefined : new Date(job.finishedOn),
      }));
    },
    /**
     * Gives a dead letter all its attempts again.
     *
     * @returns false when there is no such job or it is not dead
     * @throws {QueueUnavailableError}
     */
    retryFailed: async (jobId: string): Promise<boolean> =>
      client.use(async (queue) => {
        const job = await queue.getJob(jobId);
        if (job === undefined || !(await job.isFailed())) return false;
        await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
        return true;
      }, INSPECTION_TIMEOUT_MS),
    /** Jobs by state, for the health of the queue. @throws {QueueUnavailableError} */
    countJobs: async (): Promise<Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>> => {
      const counts = await client.use((queue) =>
        queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed'),
      );
      const { waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = counts;
      return { waiting, active, delayed, failed, completed };
    },
    close: client.close,
  };
};
export type DeadLetters = ReturnType<typeof createDeadLetters>;
