import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';

import type { NoticeActivities } from '../activities/notice';
import type { OutboxKey } from '../contracts/notice-workflow';

import { databaseActivities } from './activity-options';

const { sweepNotices } = databaseActivities<NoticeActivities>()('Enqueue the notices that are still in the outbox');

/**
 * Enqueues the notices that were left in the outbox: their process died after the act, or Redis was away. A sweep that was
 * ended half-way loses nothing: the next one meets what is still there.
 */
export async function noticeSweep(): Promise<{ enqueued: number; left: number }> {
  let [enqueued, left] = [0, 0];
  let last: OutboxKey | undefined;
  do {
    const batch = await sweepNotices({ after: last });
    enqueued += batch.enqueued;
    left += batch.left;
    last = batch.last;
    setCurrentDetails(`${String(enqueued)} notices enqueued, ${String(left)} left for the next sweep.`);
    // What a history has no room for is left to the next sweep as well.
  } while (last !== undefined && !workflowInfo().continueAsNewSuggested);
  return { enqueued, left };
}
