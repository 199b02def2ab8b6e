import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from 'pino';

import type { Notice } from '../contracts/notification-jobs';
import type { UserRepository } from '../repositories/user-repository';

export type SessionNotice = 'session:new-device' | 'session:reuse-detected';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly queue: { addNotice(name: SessionNotice, notice: Notice): Promise<unknown> };
  readonly logger: Pick<Logger, 'warn'>;
  /** Before each further try, milliseconds. */
  readonly retryDelaysMs?: readonly number[];
}

export interface SessionNotices {
  /** Tells the owner of the account, once per session. Returns at once: whoever asks learns nothing by the time, nor waits for Redis. */
  tell(name: SessionNotice, userId: string, sessionId: string): void;
  /** Settles when nothing is on its way any more. */
  settled(): Promise<void>;
}

/** Rides out a restart of Redis; a longer outage costs the notice, never the login. */
const RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000];

export const createSessionNotices = ({
  users,
  queue,
  logger,
  retryDelaysMs = RETRY_DELAYS_MS,
}: Dependencies): SessionNotices => {
  const onTheWay = new Set<Promise<void>>();

  const enqueue = async (name: SessionNotice, userId: string, sessionId: string): Promise<void> => {
    const user = await users.findById(userId);
    if (user !== undefined)
      await queue.addNotice(name, { eventId: sessionId, userId, email: user.email, locale: user.locale });
  };

  const persist = async (name: SessionNotice, userId: string, sessionId: string): Promise<void> => {
    for (const delayMs of [...retryDelaysMs, undefined]) {
      try {
        await enqueue(name, userId, sessionId);
        return;
      } catch (error) {
        if (delayMs === undefined) {
          logger.warn({ err: error, notice: name, sessionId }, 'a notice could not be enqueued');
          return;
        }
        await sleep(delayMs);
      }
    }
  };

  return {
    tell(name, userId, sessionId) {
      const task = persist(name, userId, sessionId).finally(() => onTheWay.delete(task));
      onTheWay.add(task);
    },
    settled: async () => {
      await Promise.allSettled(onTheWay);
    },
  };
};
