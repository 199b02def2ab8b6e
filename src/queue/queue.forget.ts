import type { Job } from 'bullmq';

import type { QueueClient } from './queue.client';

/** Jobs at a time: their payloads are read. */
const PAGE = 500;
const PAGE_TIMEOUT_MS = 5_000;
const STATES = ['waiting', 'prioritized', 'delayed', 'failed', 'completed'] as const;

const isAbout = ({ data }: Job<unknown>, userId: string): boolean =>
  typeof data === 'object' && data !== null && 'userId' in data && data.userId === userId;

/**
 * Removes the jobs about a person, done or not: their payload holds an address in the clear. One that is being worked on is left
 * to the next look.
 *
 * @returns whether one was being worked on
 * @throws {QueueUnavailableError}
 */
export const forgetJobs = async (
  client: Pick<QueueClient, 'use'>,
  userId: string,
  onPage: () => void,
): Promise<{ active: boolean }> => {
  const readPage = (state: (typeof STATES)[number] | 'active', start: number) =>
    client.use(async (queue) => queue.getJobs([state], start, start + PAGE - 1, true), PAGE_TIMEOUT_MS);
  for (const state of STATES) {
    for (let start = 0; ;) {
      const jobs = await readPage(state, start);
      const own = jobs.filter((job) => isAbout(job, userId));
      await Promise.all(own.map((job) => client.use(() => job.remove(), PAGE_TIMEOUT_MS)));
      onPage();
      if (jobs.length < PAGE) break;
      start += PAGE - own.length;
    }
  }
  return { active: (await readPage('active', 0)).some((job) => isAbout(job, userId)) };
};
