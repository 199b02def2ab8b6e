import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { AccountActivities } from '../activities/account';
import type { NoticeInput } from '../contracts/notice-workflow';

import { DATABASE_ACTIVITY } from './activity-options';

const { enqueueNotice } = proxyActivities<AccountActivities>({ ...DATABASE_ACTIVITY, summary: 'Enqueue the notice' });

/** Enqueues a notice when the queue is back: a request that could not reach it does not wait, and nothing is lost. */
export async function notice(input: NoticeInput): Promise<void> {
  setCurrentDetails('Waiting for the queue to take the notice.');
  await enqueueNotice(input);
  setCurrentDetails('The notice is enqueued.');
}
