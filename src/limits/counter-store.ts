import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';

/** A count, and when it starts anew. */
export interface Count {
  readonly total: number;
  /** Milliseconds. */
  readonly resetMs: number;
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

/** What counts when Redis does not; says when it is asked. */
class Insurance extends RateLimiterMemory {
  constructor(
    options: ConstructorParameters<typeof RateLimiterMemory>[0],
    private readonly onUse: () => void,
  ) {
    super(options);
  }
  override penalty(key: string | number, points?: number): Promise<RateLimiterRes> {
    this.onUse();
    return super.penalty(key, points);
  }
  override get(key: string | number): Promise<RateLimiterRes | null> {
    this.onUse();
    return super.get(key);
  }
}

const toCount = (result: RateLimiterRes | null): Count => ({
  total: result?.consumedPoints ?? 0,
  resetMs: Math.max(0, result?.msBeforeNext ?? 0),
});

export const createCounterStore = ({ redis, onFallback }: Dependencies): CounterStore => {
  const limiters = new Map<string, { readonly shared: RateLimiterRedis; readonly memory: Insurance }>();
  let pausedUntil = 0;
  const noteFallback = (): void => {
    const now = performance.now();
    if (now >= pausedUntil) pausedUntil = now + PAUSE_MS;
    onFallback();
  };

  /** By window as well: one that changes while running must not meet counts of another length. */
  const limitersOf = (counter: string, windowSeconds: number) => {
    const id = `${counter}:${windowSeconds}`;
    const known = limiters.get(id);
    if (known !== undefined) return known;
    const options = { points: NO_LIMIT, duration: windowSeconds, keyPrefix: `${PREFIX}:${id}` };
    const memory = new Insurance(options, noteFallback);
    const shared = new RateLimiterRedis({
      ...options,
      storeClient: redis,
      insuranceLimiter: memory,
      rejectIfRedisNotReady: true,
    });
    limiters.set(id, { shared, memory });
    return { shared, memory };
  };

  const inForce = (counter: string, windowSeconds: number) => {
    const { shared, memory } = limitersOf(counter, windowSeconds);
    return performance.now() < pausedUntil ? memory : shared;
  };

  return {
    add: async (counter, windowSeconds, key, points) =>
      toCount(await inForce(counter, windowSeconds).penalty(key, points)),
    read: async (counter, windowSeconds, key) => toCount(await inForce(counter, windowSeconds).get(key)),
    close: () => {
      redis.disconnect();
    },
  };
};
