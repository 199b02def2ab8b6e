import { Redis, type RedisOptions } from 'ioredis';

import type { RedisConfig } from '../config/redis.config';

/** Where Redis or Valkey is. */
export type RedisAddress = RedisConfig['connection'];

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

type Options = Pick<RedisOptions, 'commandTimeout' | 'connectTimeout' | 'enableAutoPipelining'>;

/** Nothing is queued while Redis is away, and nothing is retried behind the caller's back. It connects again on its own. */
const connect = (address: RedisAddress, options: Options = {}): Redis => {
  const redis = new Redis({
    ...commonOptions(address),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    ...options,
  });
  // Heard through the commands that fail; unheard, the event would be printed.
  redis.on('error', () => undefined);
  return redis;
};

/**
 * A connection for callers that want an answer now: a command fails when Redis is away, and after `timeoutMs` without an
 * answer. It may have been carried out all the same.
 */
export const createPromptConnection = (address: RedisAddress, timeoutMs = 1_000): Redis =>
  connect(address, { commandTimeout: timeoutMs });

/** The same for counting, where a request waits for it: commands of one turn of the event loop share a round trip. */
export const createCountingConnection = (address: RedisAddress, timeoutMs: number): Redis =>
  connect(address, { connectTimeout: 1_000, commandTimeout: timeoutMs, enableAutoPipelining: true });

/** A connection whose commands may wait for what is to come. */
export const createWaitingConnection = (address: RedisAddress): Redis => connect(address);

/**
 * Options for a BullMQ worker, which makes and closes its own two connections (one of them blocks): commands wait for
 * Redis as long as it takes, as BullMQ demands.
 */
export const workerConnectionOptions = (address: RedisAddress) => ({
  ...commonOptions(address),
  maxRetriesPerRequest: null,
});
