import { setTimeout as sleep } from 'node:timers/promises';

import type { OnEvent } from './events';
import type { RevocationList } from './revocation-list';
import type { RevocationSource } from './source';

export interface RevocationStreamOptions {
  readonly source: RevocationSource;
  readonly list: RevocationList;
  /** Away for longer than this, the stream begins anew instead of going on: it has all that matters then. */
  readonly keepMs: number;
  /** Waits between attempts double from the first to the last, each a random part of it. */
  readonly backoffMs: { readonly first: number; readonly last: number };
  readonly onEvent: OnEvent;
}

export interface RevocationStream {
  /** For how long revocations may have been missed, milliseconds: 0 while live, Infinity before all were given once. */
  readonly stalenessMs: () => number;
  /** Settles when all revocations that matter have been given once. @throws when `signal` aborts or the stream is closed */
  readonly ready: (signal?: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Follows the revocations for as long as it is open, over as many connections as that takes. */
export const followRevocations = (options: RevocationStreamOptions): RevocationStream => {
  const { source, list, keepMs, backoffMs, onEvent } = options;
  const closing = new AbortController();
  const firstReady = deferred();
  let cursor: string | undefined;
  let isLive = false;
  let failures = 0;
  /** Since when revocations may have been missed, on this process's steady clock. */
  let awaySince = -Infinity;
  const stalenessMs = (): number => (isLive ? 0 : performance.now() - awaySince);

  const becomeLive = (): void => {
    isLive = true;
    failures = 0;
    firstReady.resolve();
    onEvent({ type: 'stream-ready' });
  };
  const follow = async (): Promise<void> => {
    // What ended before has no token left, and the service may not remember the cursor.
    if (stalenessMs() > keepMs) cursor = undefined;
    for await (const item of source.watchRevocations(cursor, closing.signal)) {
      if ('ready' in item) becomeLive();
      else {
        list.add(item);
        cursor = item.cursor;
      }
    }
    throw new Error('The stream ended');
  };
  const isClosed = (): boolean => closing.signal.aborted;
  const run = async (): Promise<void> => {
    while (!isClosed()) {
      try {
        await follow();
      } catch (error) {
        if (isClosed()) return;
        // A cursor that is refused must not keep the stream away for ever.
        if (!isLive && failures > 0) cursor = undefined;
        if (isLive) awaySince = performance.now();
        isLive = false;
        const longest = Math.min(backoffMs.last, backoffMs.first * 2 ** failures);
        failures += 1;
        const retryInMs = Math.round(longest * (0.5 + Math.random() / 2));
        onEvent({ type: 'stream-lost', error, retryInMs });
        await sleep(retryInMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  };
  const running = run();

  return {
    stalenessMs,
    ready: (signal) => untilAborted(firstReady.promise, signal),
    close: async () => {
      closing.abort();
      firstReady.reject(new Error('The revocation stream is closed'));
      isLive = false;
      await running;
    },
  };
};

/** Promise.withResolvers, which Node 20 lacks. Nobody need wait for it. */
const deferred = () => {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
};

const untilAborted = async (promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> => {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = deferred();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};
