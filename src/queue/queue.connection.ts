import type { Redis } from 'ioredis';

/** Redis did not take or answer a command in time. The command may have been carried out all the same: retry it. */
export class QueueUnavailableError extends Error {
  readonly code = 'QUEUE_UNAVAILABLE';
  readonly permanent = false;
  constructor(options?: ErrorOptions) {
    super('The queue cannot be reached', options);
    this.name = 'QueueUnavailableError';
  }
}

/** Gives `work` `timeoutMs` milliseconds. @throws {QueueUnavailableError} when it takes longer */
export const within = async <T>(timeoutMs: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new QueueUnavailableError());
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
};

const POLL_MS = 10;

/**
 * Waits until the connection may be used. Polls, because a listener per waiting caller would pile up in an outage.
 *
 * @throws {QueueUnavailableError} when it is not ready within `timeoutMs`
 */
export const waitUntilConnected = async (connection: Pick<Redis, 'status'>, timeoutMs: number): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (connection.status !== 'ready') {
    if (connection.status === 'end' || performance.now() >= deadline) throw new QueueUnavailableError();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};
