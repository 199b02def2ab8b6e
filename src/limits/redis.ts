import { Redis } from 'ioredis';

import type { ClientTls } from '../config/tls.config';

/** Where Redis or Valkey is. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ClientTls;
}

/**
 * A connection for counting: commands of one turn of the event loop share a round trip, none is queued or repeated, and one
 * without an answer fails after `timeoutMs`. It connects again on its own, after 50 ms up to 1 s.
 */
export const createLimitsConnection = (address: RedisAddress, timeoutMs: number): Redis => {
  const redis = new Redis({
    ...address,
    connectTimeout: 1_000,
    keepAlive: 10_000,
    /** Before each new try, ioredis asks this of its own options: the password of now goes there. */
    retryStrategy(this: { password?: string | undefined } | undefined, attempt: number): number {
      if (this !== undefined) this.password = address.password;
      return Math.min(50 * 2 ** (attempt - 1), 1_000);
    },
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: timeoutMs,
  });
  // Heard through the commands that fail; unheard, the event would be printed.
  redis.on('error', () => undefined);
  return redis;
};
