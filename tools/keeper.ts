import { setTimeout as sleep } from 'node:timers/promises';

import type { Part } from './stack/part';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Whatever ran this long had started well, so its next crash is the first of a new row. */
const STEADY_AFTER_MS = 60_000;

export interface Keeper {
  /** Starts the part that ended by itself again, later each time. */
  readonly onCrash: (part: Part, how: string) => void;
  /** From now on nothing is started again. */
  readonly close: () => void;
}

/** Keeps parts running that crash, and says so. */
export const createKeeper = (say: (line: string) => void): Keeper => {
  const closing = new AbortController();
  const crashes = new Map<Part, { count: number; last: number }>();

  const nextDelay = (part: Part): number => {
    const { count = 0, last = 0 } = crashes.get(part) ?? {};
    const inARow = Date.now() - last > STEADY_AFTER_MS ? 0 : count;
    crashes.set(part, { count: inARow + 1, last: Date.now() });
    return Math.min(FIRST_DELAY_MS * 2 ** inARow, LONGEST_DELAY_MS);
  };

  const restart = async (part: Part, how: string): Promise<void> => {
    const delay = nextDelay(part);
    say(`${part.name} ended (${how}); it is started again in ${String(delay / 1_000)} s. Log: ${part.logFile}`);
    await sleep(delay, undefined, { signal: closing.signal });
    await part.start();
    say(`${part.name} runs again.`);
  };

  const onCrash = (part: Part, how: string): void => {
    if (closing.signal.aborted) return;
    restart(part, how).catch((error: unknown) => onCrash(part, (error as Error).message.split('\n')[0] ?? ''));
  };

  return {
    onCrash,
    close: () => {
      closing.abort();
    },
  };
};
