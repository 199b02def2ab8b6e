import {
  type Notice,
  type NoticeName,
  noticeJobId,
  NOTICES,
  userRegisteredJobId,
  userRegisteredSchema,
  type UserRegisteredJob,
} from '../contracts/notification-jobs';
import { createQueueClient, type QueueClientDeps } from './queue.client';
import { forgetJobs } from './queue.forget';

export interface QueueProducerDeps extends QueueClientDeps {
  /** Name of the job: `USER_REGISTERED_JOB`. */
  readonly userRegisteredJob: string;
}

/** Adds notification jobs. Fails within a second when Redis is gone, so that the caller (a Temporal activity) retries. */
export const createQueueProducer = ({ userRegisteredJob, ...deps }: QueueProducerDeps) => {
  const client = createQueueClient(deps);
  return {
    /**
     * Enqueues what follows a verified registration: the welcome mail.
     *
     * Idempotent: the job's id follows from the account, so that adding it again, at any time while the job exists
     * (waiting, running, completed or dead), changes nothing.
     *
     * @returns the job's id
     * @throws {ZodError} when an argument is not what the contract says; do not retry
     * @throws {QueueUnavailableError} when Redis did not confirm within a second; the job may exist, retry
     */
    addUserRegisteredJob: async (
      userId: string,
      email: string,
      locale: UserRegisteredJob['locale'],
    ): Promise<string> => {
      const payload = userRegisteredSchema.parse({ userId, email, locale });
      const jobId = userRegisteredJobId(userId);
      await client.use((queue) => queue.add(userRegisteredJob, payload, { jobId }));
      return jobId;
    },
    /**
     * Enqueues a notice, once per event however often it is asked for.
     *
     * @returns the job's id
     * @throws {ZodError} when the notice is not what the contract says; do not retry
     * @throws {QueueUnavailableError} when Redis did not confirm within a second; the job may exist, retry
     */
    addNotice: async <Name extends NoticeName>(name: Name, notice: Notice<Name>): Promise<string> => {
      const payload = NOTICES[name].parse(notice);
      const jobId = noticeJobId(name, payload.eventId);
      await client.use((queue) => queue.add(name, payload, { jobId }));
      return jobId;
    },
    /** See {@link forgetJobs}. */
    forget: (userId: string, onPage: () => void) => forgetJobs(client, userId, onPage),
    /** @returns whether Redis answers within `timeoutMs` milliseconds */
    isReady: client.isReady,
    close: client.close,
  };
};
export type QueueProducer = ReturnType<typeof createQueueProducer>;
