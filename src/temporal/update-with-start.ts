import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';

import { AppError } from '../contracts/errors';
import type { Ending } from '../contracts/ending-workflow';

/** How long an ending workflow is waited for: it has messages to start first, and a busy worker takes its time. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 50;
/** Each question stands in the history of whoever answers it. */
const LONGEST_PAUSE_MS = 800;

/** The workflow closed between the start and the update. */
const isGone = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError;

const isEnding = (answer: object): answer is Ending => 'outcome' in answer && answer.outcome === 'ending';

/**
 * Asks the workflow that runs under an id, or a new one. One that ends while it is asked is followed by another: it is asked again.
 *
 * @param ask sends the update with the start; told how many times it was sent before
 * @throws {AppError} `service_unavailable` where the workflow has not ended within some seconds
 */
export const askRunningOrNew = async <T extends object>(
  ask: (before: number) => Promise<T>,
): Promise<Exclude<T, Ending>> => {
  const end = performance.now() + PATIENCE_MS;
  for (let before = 0, pause = FIRST_PAUSE_MS; ; before += 1, pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      const answer = await ask(before);
      if (!isEnding(answer)) return answer as Exclude<T, Ending>;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    if (performance.now() + pause > end) throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
    await sleep(pause);
  }
};
