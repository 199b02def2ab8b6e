import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { RecoveryMailActivities, RecoverySmsActivities } from '../activities/recovery-message';
import type { RecoveryNotice } from '../contracts/account-recovery-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

import { NOTICE_ACTIVITY } from './activity-options';

const { sendRecoveryMail } = proxyActivities<RecoveryMailActivities>({
  ...NOTICE_ACTIVITY,
  taskQueue: TASK_QUEUES.email,
  summary: 'Mail to the address of the account',
});
const { sendRecoverySms } = proxyActivities<RecoverySmsActivities>({
  ...NOTICE_ACTIVITY,
  taskQueue: TASK_QUEUES.sms,
  summary: 'SMS to the proven phone, if there is one',
});

/** Tells the owner by every channel, each once. One that nobody takes keeps the other back from nothing. */
export async function accountRecoveryNotice(notice: RecoveryNotice): Promise<void> {
  setCurrentDetails('Telling the owner.');
  const sent = await Promise.allSettled([sendRecoveryMail(notice), sendRecoverySms(notice)]);
  const lost = sent.filter(({ status }) => status === 'rejected').length;
  setCurrentDetails(lost === 0 ? 'The owner has been told.' : `Nobody took ${String(lost)} of the messages.`);
}
