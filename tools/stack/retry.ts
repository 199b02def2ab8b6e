import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 100;

/** Runs `act` again as long as it fails with a message that matches, for at most so long. */
export const retryWhile = async (reason: RegExp, timeoutMs: number, act: () => Promise<void>): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Error) || !reason.test(error.message) || Date.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
};
