import { setTimeout as sleep } from 'node:timers/promises';

import type { LoadResult } from './statistics';

/** What came of one piece of work; `ok` alone counts as success, `refused` is an answer with 503. */
export type Outcome = 'ok' | 'refused' | { readonly failed: string };

const outcomeOf = async (work: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await work();
  } catch (error) {
    return { failed: (error as Error).message };
  }
};

/** A client that is refused waits a moment, milliseconds, as `Retry-After` asks it to; without, it would only burn CPU. */
const PAUSE_AFTER_REFUSAL_MS = 20;

const createTally = () => {
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  let refused = 0;
  return {
    count: (outcome: Outcome, milliseconds: number): void => {
      if (outcome === 'ok') latencies.push(milliseconds);
      else if (outcome === 'refused') refused += 1;
      else failures[outcome.failed] = (failures[outcome.failed] ?? 0) + 1;
    },
    result: (seconds: number): LoadResult => ({ seconds, succeeded: latencies.length, refused, failures, latencies }),
  };
};

export interface ClosedLoop {
  readonly callers: number;
  readonly seconds: number;
}

/** Each caller begins its next piece of work when the last one is done. Work that runs at the end is finished and counted. */
export const closedLoop = async (
  { callers, seconds }: ClosedLoop,
  work: (caller: number) => Promise<Outcome>,
): Promise<LoadResult> => {
  const tally = createTally();
  const begin = performance.now();
  const call = async (caller: number): Promise<void> => {
    while (performance.now() - begin < seconds * 1_000) {
      const start = performance.now();
      const outcome = await outcomeOf(() => work(caller));
      tally.count(outcome, performance.now() - start);
      if (outcome === 'refused') await sleep(PAUSE_AFTER_REFUSAL_MS);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return tally.result((performance.now() - begin) / 1_000);
};

export interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Work begins at fixed times, whether or not what began before is done; latencies count from the time it was due. */
export const openLoop = async ({ perSecond, seconds }: OpenLoop, work: () => Promise<Outcome>): Promise<LoadResult> => {
  const tally = createTally();
  const begin = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const due = begin + (index * 1_000) / perSecond;
    await sleep(Math.max(0, due - performance.now()));
    running.push(outcomeOf(work).then((outcome) => tally.count(outcome, performance.now() - due)));
  }
  await Promise.all(running);
  return tally.result((performance.now() - begin) / 1_000);
};
