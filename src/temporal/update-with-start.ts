import { setTimeout as sleep } from 'node:timers/promises';

import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';

const PAUSE_MS = 100;

/** The workflow closed between the start and the update. */
const isGone = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError;

/**
 * Asks the workflow that runs under an id, or a new one. One that ends while it is asked is followed by another: it is asked again.
 *
 * @param ask sends the update with the start; told how many times it was sent before
 * @param isEnding whether an answer says that the workflow takes no more
 * @returns undefined where every one of the tries met a workflow that was ending
 */
export const askRunningOrNew = async <T>(
  tries: number,
  ask: (before: number) => Promise<T>,
  isEnding: (answer: T) => boolean = () => false,
): Promise<T | undefined> => {
  for (let before = 0; before < tries; before += 1) {
    if (before > 0) await sleep(PAUSE_MS);
    try {
      const answer = await ask(before);
      if (!isEnding(answer)) return answer;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return undefined;
};
