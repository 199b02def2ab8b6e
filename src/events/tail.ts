import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Redis } from 'ioredis';

import { type RawEntry, type StreamEntry, toEntry } from './streams';

/** One read waits so long for something new, milliseconds; a connection that hangs is noticed by its keep-alive. */
const BLOCK_MS = 5_000;
const PAUSE_MS = 250;
const BATCH = 1_000;

/** Hears of everything that is added to some streams, on one connection however many listen. */
export interface Tail {
  /** @returns what stops it; `listener` is told of every entry that is added after this */
  listen(stream: string, listener: (entry: StreamEntry) => void): () => void;
  /** Settles once it stands at the end of the streams: from then on nothing that is added is missed. */
  readonly standing: Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * @param redis a connection of its own, whose commands may wait
 */
export const createTail = (redis: Redis, streams: readonly string[]): Tail => {
  const heard = new EventEmitter().setMaxListeners(0);
  const stopped = new AbortController();
  /** Last id that was read of each stream; undefined until Redis was asked. */
  const positions = new Map<string, string>();
  let running: Promise<void> | undefined;
  let stand: () => void = () => undefined;
  const standing = new Promise<void>((resolve) => {
    stand = resolve;
  });

  /** Where a stream ends now: what comes after that is new. */
  const findEnds = async (): Promise<void> => {
    for (const stream of streams) {
      if (positions.has(stream)) continue;
      const [last] = (await redis.xrevrange(stream, '+', '-', 'COUNT', 1)) as RawEntry[];
      positions.set(stream, last?.[0] ?? '0-0');
    }
  };

  const read = async (): Promise<void> => {
    await findEnds();
    stand();
    const ids = streams.map((stream) => positions.get(stream) ?? '0-0');
    const found = (await redis.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams, ...ids)) as
      [string, RawEntry[]][] | null;
    for (const [stream, entries] of found ?? [])
      for (const entry of entries.map(toEntry)) {
        positions.set(stream, entry.id);
        heard.emit(stream, entry);
      }
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await read();
      } catch {
        // Redis is away, or the connection was closed: whoever asks something of it is told.
        await sleep(PAUSE_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
      }
    }
  };

  return {
    standing,
    listen: (stream, listener) => {
      heard.on(stream, listener);
      return () => heard.off(stream, listener);
    },
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopped.abort();
      redis.disconnect();
      await running;
    },
  };
};
