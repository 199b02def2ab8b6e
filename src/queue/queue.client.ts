import { Queue } from 'bullmq';

import { NOTIFICATIONS_QUEUE } from '../contracts/notification-jobs';
import { createPromptConnection, type RedisAddress } from '../redis/connection';
import { QueueUnavailableError, waitUntilConnected, within } from './queue.connection';
import { NOTIFICATION_JOB_OPTIONS, PRODUCER_TIMEOUT_MS } from './queue.constants';
import { telemetryOptions } from './queue.telemetry';

/** The part of a pino logger that the queue uses. */
export interface QueueLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface QueueClientDeps {
  readonly redis: RedisAddress;
  /** Prefix of every BullMQ key: `QUEUE_PREFIX`. */
  readonly prefix: string;
  readonly logger: QueueLogger;
  /** Whether jobs carry the trace that they belong to. */
  readonly isTraced?: boolean;
}

export type NotificationsQueue = Queue<unknown, unknown>;

/**
 * A failing-fast handle on the notifications queue, for whoever adds jobs or looks at them.
 *
 * `use` runs one operation, waiting for a connection at most as long as it may, and reports whatever goes wrong with
 * Redis as a {@link QueueUnavailableError} with its cause.
 */
export const createQueueClient = ({ redis, prefix, logger, isTraced = false }: QueueClientDeps) => {
  const connection = createPromptConnection(redis, PRODUCER_TIMEOUT_MS);
  const queue: NotificationsQueue = new Queue(NOTIFICATIONS_QUEUE, {
    // Without the version check BullMQ sends no command of its own while it connects: one that failed there (a
    // connection lost right after it was made) would leave the queue unusable until the process ends.
    connection,
    skipVersionCheck: true,
    prefix,
    defaultJobOptions: NOTIFICATION_JOB_OPTIONS,
    ...telemetryOptions(isTraced),
  });

  let lost = false;
  let lastError: Error | undefined;
  queue.on('error', (error) => {
    // Every attempt to reconnect reports an error; one line per outage is enough.
    if (!lost)
      logger.warn({ errorName: error.name, errorCode: (error as NodeJS.ErrnoException).code }, 'queue connection lost');
    lost = true;
    lastError = error;
  });
  connection.on('ready', () => {
    if (lost) logger.info({}, 'queue connection is back');
    lost = false;
    lastError = undefined;
  });

  const use = async <T>(
    operation: (queue: NotificationsQueue) => Promise<T>,
    timeoutMs = PRODUCER_TIMEOUT_MS,
  ): Promise<T> => {
    const start = performance.now();
    try {
      await waitUntilConnected(connection, timeoutMs);
      return await within(Math.max(1, timeoutMs - (performance.now() - start)), operation(queue));
    } catch (error) {
      // No connection: why not, is what its last attempt said.
      throw new QueueUnavailableError({ cause: error instanceof QueueUnavailableError ? lastError : error });
    }
  };

  return {
    use,
    /** @returns whether Redis answers within `timeoutMs` milliseconds */
    isReady: async (timeoutMs = PRODUCER_TIMEOUT_MS): Promise<boolean> => {
      try {
        await waitUntilConnected(connection, timeoutMs);
        await within(timeoutMs, connection.ping());
        return true;
      } catch {
        return false;
      }
    },
    /** Gives the connection back; never throws. BullMQ does not close a connection that was handed to it. */
    close: async (): Promise<void> => {
      await within(PRODUCER_TIMEOUT_MS, queue.close()).catch(() => undefined);
      connection.disconnect();
    },
  };
};
export type QueueClient = ReturnType<typeof createQueueClient>;
