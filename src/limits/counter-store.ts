import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';

/** A count, and when it starts anew. */
export interface Count {
  readonly total: number;
  /** Milliseconds. */
  readonly resetMs: number;
  /** Of all processes; else of this one alone, since Redis did not answer. */
  readonly isShared: boolean;
}

/** Counts that all processes share; while Redis is away, each process counts for itself. Never rejects. */
export interface CounterStore {
  /** Adds points to a count of this window, which begins with its first points. */
  add(counter: string, windowSeconds: number, key: string, points: number): Promise<Count>;
  read(counter: string, windowSeconds: number, key: string): Promise<Count>;
  close(): void;
}

interface Dependencies {
  readonly redis: Redis;
  /** Told when a count was made in the process because Redis did not answer. */
  readonly onFallback: () => void;
}

const PREFIX = 'meqenet:limit';
/** After a failure Redis is left alone for so long, so that a Redis that hangs delays few requests, milliseconds. */
const PAUSE_MS = 1_000;
/** Refusing is the caller's business: the limit depends on who asks. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

const toCount = (result: RateLimiterRes | null, isShared: boolean): Count => ({
  total: result?.consumedPoints ?? 0,
  resetMs: Math.max(0, result?.msBeforeNext ?? 0),
  isShared,
});

export const createCounterStore = ({ redis, onFallback }: Dependencies): CounterStore => {
  const limiters = new Map<string, { readonly shared: RateLimiterRedis; readonly own: RateLimiterMemory }>();
  let pausedUntil = 0;

  /** By window as well: one that changes while running must not meet counts of another length. */
  const limitersOf = (counter: string, windowSeconds: number) => {
    const id = `${counter}:${windowSeconds}`;
    const known = limiters.get(id);
    if (known !== undefined) return known;
    const options = { points: NO_LIMIT, duration: windowSeconds, keyPrefix: `${PREFIX}:${id}` };
    const shared = new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true });
    const made = { shared, own: new RateLimiterMemory(options) };
    limiters.set(id, made);
    return made;
  };

  const count = async (
    counter: string,
    windowSeconds: number,
    ask: (limiter: RateLimiterRedis | RateLimiterMemory) => Promise<RateLimiterRes | null>,
  ): Promise<Count> => {
    const { shared, own } = limitersOf(counter, windowSeconds);
    if (performance.now() >= pausedUntil) {
      try {
        return toCount(await ask(shared), true);
      } catch {
        const now = performance.now();
        if (now >= pausedUntil) pausedUntil = now + PAUSE_MS;
      }
    }
    onFallback();
    return toCount(await ask(own), false);
  };

  return {
    add: (counter, windowSeconds, key, points) =>
      count(counter, windowSeconds, (limiter) => limiter.penalty(key, points)),
    read: (counter, windowSeconds, key) => count(counter, windowSeconds, (limiter) => limiter.get(key)),
    close: () => {
      redis.disconnect();
    },
  };
};
