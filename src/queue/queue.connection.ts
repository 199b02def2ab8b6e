import { Redis } from 'ioredis';

import type { ClientTls } from '../config/tls.config';

import { PRODUCER_TIMEOUT_MS } from './queue.constants';

/** Where Redis or Valkey is: `RedisConfig['connection']` of the configuration. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ClientTls;
}

/** Redis did not take or answer a command in time. The command may have been carried out all the same: retry it. */
export class QueueUnavailableError extends Error {
  readonly code = 'QUEUE_UNAVAILABLE';
  readonly permanent = false;
  constructor(options?: ErrorOptions) {
    super('The queue cannot be reached', options);
    this.name = 'QueueUnavailableError';
  }
}

/** Reconnects after 50, 100, 200 ... at most 1,000 ms: BullMQ's own strategy waits up to 20 s after Redis is back. */
export const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** (attempt - 1), 1_000);

const commonOptions = (address: RedisAddress) => ({
  ...address,
  connectTimeout: 5_000,
  keepAlive: 10_000,
  /** Before each new try, ioredis asks this of its own options, those of BullMQ's copies included: the password of now goes there. */
  retryStrategy(this: { password?: string | undefined } | undefined, attempt: number): number {
    if (this !== undefined) this.password = address.password;
    return reconnectDelayMs(attempt);
  },
});

/**
 * A connection for callers that want an answer now: nothing is queued while Redis is away, nothing is retried behind
 * the caller's back, and a command without an answer fails after {@link PRODUCER_TIMEOUT_MS}. It reconnects on its own.
 */
export const createProducerConnection = (address: RedisAddress): Redis =>
  new Redis({
    ...commonOptions(address),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: PRODUCER_TIMEOUT_MS,
  });

/**
 * Options for a BullMQ worker, which makes and closes its own two connections (one of them blocks): commands wait for
 * Redis as long as it takes, as BullMQ demands.
 */
export const workerConnectionOptions = (address: RedisAddress) => ({
  ...commonOptions(address),
  maxRetriesPerRequest: null,
});

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
