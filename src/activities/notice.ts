import type { OutboxKey, SweptBatch } from '../contracts/notice-workflow';
import type { EnqueueNotice } from '../identity/notices';
import type { NoticeOutbox } from '../repositories/notice-outbox';

/** Enqueued together; a second is enough for it. */
const BATCH_SIZE = 500;

interface Dependencies {
  readonly outbox: NoticeOutbox;
  readonly enqueueNotice: EnqueueNotice;
  /** Younger notices are still the api's, milliseconds. */
  readonly minAgeMs: number;
  readonly logger: { warn(fields: object, message: string): void };
}

/** The step of a sweep of the notice outbox. It may run twice without harm. */
export const createNoticeActivities = ({ outbox, enqueueNotice, minAgeMs, logger }: Dependencies) => ({
  /** Enqueues one batch. What cannot be enqueued stays where it is and holds nothing else up. */
  async sweepNotices({ after }: { after?: OutboxKey | undefined }): Promise<SweptBatch> {
    const writtenBefore = new Date(Date.now() - minAgeMs);
    const due = await outbox.listDue({ writtenBefore, after, limit: BATCH_SIZE });
    const results = await Promise.allSettled(due.map(enqueueNotice));
    const enqueued = due.filter((_, index) => results[index]?.status === 'fulfilled');
    await outbox.remove(enqueued);
    const left = due.length - enqueued.length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) logger.warn({ err: failed.reason as unknown, left }, 'notices could not be enqueued');
    const last = due.length === BATCH_SIZE ? due.at(-1) : undefined;
    return { enqueued: enqueued.length, left, last: last && { eventId: last.eventId, name: last.name } };
  },
});
export type NoticeActivities = ReturnType<typeof createNoticeActivities>;
