import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until there is an answer.
 *
 * @returns the first result that is not undefined, null or false
 * @throws when there is none within `timeoutMs` milliseconds, saying `what` was waited for
 */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T | undefined | null | false>,
  timeoutMs = 20_000,
): Promise<T> => {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await ask();
      if (result !== undefined && result !== null && result !== false) return result;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline)
      throw new Error(`Waited ${String(timeoutMs)} ms in vain for ${what}`, { cause: lastError });
    await sleep(50);
  }
};
