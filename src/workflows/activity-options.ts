import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow';

import type { EmailActivities } from '../activities/email';
import { TASK_QUEUES } from '../contracts/task-queues';

/**
 * A few statements in one transaction. Tried until the database is back: a registration must end in all or nothing. The step
 * of a killed worker is tried again after the timeout, which is shorter than a request waits for an update: the person is
 * answered all the same.
 */
export const DATABASE_ACTIVITY: ActivityOptions = {
  startToCloseTimeout: '5s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
};

/** One SMTP conversation. Tried until the mail server is back; what it refuses for good is not retryable. */
export const MAIL_ACTIVITY: ActivityOptions = {
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
};

/** A notice by mail or SMS. Nobody takes it any more after this time: the number or the mailbox is gone. */
export const NOTICE_ACTIVITY = { ...MAIL_ACTIVITY, scheduleToCloseTimeout: '24h' } as const satisfies ActivityOptions;

/** Steps on the workflow's own task queue, each with the summary that the operator reads. */
export const databaseActivities =
  <Activities>() =>
  (summary: string): ActivityInterfaceFor<Activities> =>
    proxyActivities<Activities>({ ...DATABASE_ACTIVITY, summary });

/** Steps on the task queue of the mails. */
export const mailActivities = (summary: string): ActivityInterfaceFor<EmailActivities> =>
  proxyActivities<EmailActivities>({ ...MAIL_ACTIVITY, taskQueue: TASK_QUEUES.email, summary });
