import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { FactorCodeMailActivities, FactorCodeSmsActivities } from '../activities/factor-code';
import type { FactorCodeInput } from '../contracts/factor-code-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

import { MAIL_ACTIVITY } from './activity-options';

/** As long as the code works. */
const GIVEN_UP_AFTER = '10m';
const options = {
  ...MAIL_ACTIVITY,
  scheduleToCloseTimeout: GIVEN_UP_AFTER,
  summary: 'Send the code, unless it no longer works',
} as const;
const { sendFactorCodeMail } = proxyActivities<FactorCodeMailActivities>({ ...options, taskQueue: TASK_QUEUES.email });
const { sendFactorCodeSms } = proxyActivities<FactorCodeSmsActivities>({ ...options, taskQueue: TASK_QUEUES.sms });

/** Sends the code of a second factor, once, and whatever dies meanwhile: its request has been answered. */
export async function factorCode({ codeId, factor }: FactorCodeInput): Promise<void> {
  setCurrentDetails('Sending the code.');
  try {
    await (factor === 'email_otp' ? sendFactorCodeMail({ codeId }) : sendFactorCodeSms({ codeId }));
    setCurrentDetails('Sent, or no longer wanted.');
  } catch (error) {
    setCurrentDetails('Nobody took the code while it worked.');
    throw error;
  }
}
