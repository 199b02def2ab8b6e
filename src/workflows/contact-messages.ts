import { proxyActivities } from '@temporalio/workflow';

import type { ContactMailActivities, ContactSmsActivities } from '../activities/contact-message';
import type { ContactChannel, ContactMessage } from '../contracts/contact-change-workflow';
import { TASK_QUEUES } from '../contracts/task-queues';

import { NOTICE_ACTIVITY } from './activity-options';

const SUMMARIES: Readonly<Record<ContactMessage, string>> = {
  code: 'Send the code to the new contact, or word to whom it belongs',
  requested: 'Tell the old address that a change was asked for',
  changed_old: 'Tell the old contact of the change',
  changed_new: 'Tell the new contact of the change',
};
/** One message by mail or SMS, tried until it is taken or refused for good. */
export const sendContactMessage = (
  channel: ContactChannel,
  changeId: string,
  message: ContactMessage,
): Promise<void> => {
  const options = { ...NOTICE_ACTIVITY, summary: SUMMARIES[message] } as const;
  if (channel === 'email') {
    const { sendContactMail } = proxyActivities<ContactMailActivities>({ ...options, taskQueue: TASK_QUEUES.email });
    return sendContactMail({ changeId, message });
  }
  const { sendContactSms } = proxyActivities<ContactSmsActivities>({ ...options, taskQueue: TASK_QUEUES.sms });
  return sendContactSms({ changeId, message });
};
