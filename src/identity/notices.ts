import type { Logger } from 'pino';

import type { Notice, NoticeEvent, NoticeName } from '../contracts/notification-jobs';
import type { NoticeOutbox } from '../repositories/notice-outbox';
import type { UserRepository } from '../repositories/user-repository';

export type EnqueueNotice = (event: NoticeEvent) => Promise<void>;

interface EnqueueDependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly queue: { addNotice(name: NoticeName, notice: Notice): Promise<unknown> };
}

/** Enqueues a notice with the address of now. The job's id follows from the event, so that twice is once. */
export const createEnqueueNotice =
  ({ users, queue }: EnqueueDependencies): EnqueueNotice =>
  async ({ name, eventId, userId }) => {
    const user = await users.findById(userId);
    // An account that was erased meanwhile is told nothing.
    if (user !== undefined) await queue.addNotice(name, { eventId, userId, email: user.email, locale: user.locale });
  };

interface Dependencies {
  readonly enqueueNotice: EnqueueNotice;
  readonly outbox: Pick<NoticeOutbox, 'remove'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Notices of what a request has done. */
export interface Notices {
  /**
   * Enqueues a notice that the act has left in the outbox. Returns at once: whoever asks learns nothing by the time, nor
   * waits for Redis. What fails here, or dies with the process, is made up for by the sweep (workflows/notice-sweep.ts).
   */
  tell(event: NoticeEvent): void;
  /** Settles when nothing is on its way any more. */
  settled(): Promise<void>;
}

export const createNotices = ({ enqueueNotice, outbox, logger }: Dependencies): Notices => {
  const onTheWay = new Set<Promise<void>>();

  const deliver = async (event: NoticeEvent): Promise<void> => {
    try {
      await enqueueNotice(event);
      await outbox.remove([event]);
    } catch (error) {
      const { name, eventId } = event;
      logger.warn(
        { err: error, notice: name, eventId },
        'a notice could not be enqueued at once; it waits in the outbox',
      );
    }
  };

  return {
    tell(event) {
      const task = deliver(event).finally(() => onTheWay.delete(task));
      onTheWay.add(task);
    },
    settled: async () => {
      await Promise.allSettled(onTheWay);
    },
  };
};
