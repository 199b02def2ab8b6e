import type { StreamEntry } from './streams';
import { compareIds } from './streams';

/** Whoever reads more slowly than so many entries come is cut off, and may resume. */
const MAX_WAITING = 1_000;

interface Source {
  /** Starts to listen to what is added from now on. @returns what stops it */
  readonly listen: (listener: (entry: StreamEntry) => void) => () => void;
  /** Settles when nothing that is added is missed any more. */
  readonly standing: Promise<void>;
  /** What is there already, oldest first. */
  readonly history: () => AsyncIterable<StreamEntry>;
  readonly signal: AbortSignal;
}

/**
 * What a stream holds, then what is added to it: nothing missing and nothing twice where the two meet, since listening begins
 * before the history is read. Ends when `signal` aborts, or when the reader is too slow.
 * `caught up` stands between what was there and what came.
 */
export async function* follow({
  listen,
  standing,
  history,
  signal,
}: Source): AsyncGenerator<StreamEntry | 'caught up'> {
  const waiting: StreamEntry[] = [];
  let isOverflowing = false;
  let wake: (() => void) | undefined;
  const notify = (): void => wake?.();
  const isOver = (): boolean => signal.aborted || isOverflowing;
  const unlisten = listen((entry) => {
    if (waiting.length >= MAX_WAITING) isOverflowing = true;
    else waiting.push(entry);
    notify();
  });
  const aborted = new Promise<void>((resolve) => {
    // Whoever has gone may not ask for the next entry any more.
    const stop = (): void => {
      unlisten();
      notify();
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    await Promise.race([standing, aborted]);
    let last = '0-0';
    for await (const entry of history()) {
      if (isOver()) return;
      last = entry.id;
      yield entry;
    }
    yield 'caught up';
    while (!isOver()) {
      const entry = waiting.shift();
      if (entry === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          // Either may have come while nobody waited.
          if (waiting.length > 0 || isOver()) resolve();
        });
      } else if (compareIds(entry.id, last) > 0) {
        last = entry.id;
        yield entry;
      }
    }
  } finally {
    unlisten();
  }
}
