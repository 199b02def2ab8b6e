import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';

import type { AccountActivities } from '../activities/account';
import type { ContactChangeActivities } from '../activities/contact-change';
import type { ContactNoticeInput } from '../contracts/contact-change-workflow';

import { DATABASE_ACTIVITY } from './activity-options';
import { sendContactMessage } from './contact-messages';

const { enqueueNotice } = proxyActivities<AccountActivities>({
  ...DATABASE_ACTIVITY,
  summary: 'Enqueue the notice to the owner',
});
const { closeContactChange } = proxyActivities<ContactChangeActivities>({
  ...DATABASE_ACTIVITY,
  summary: 'Drop the contact that was kept for the messages',
});

/** Tells everybody of a change of phone or address, each once. One message that nobody takes keeps none of the others back. */
export async function contactNotice(input: ContactNoticeInput): Promise<void> {
  const { channel, changeId, messages, owners, isLast } = input;
  setCurrentDetails('Telling everybody.');
  const sent = await Promise.allSettled([
    ...messages.map((message) => sendContactMessage(channel, changeId, message)),
    ...owners.map((owner) => enqueueNotice({ ...owner, eventId: changeId })),
  ]);
  if (isLast) await closeContactChange({ changeId });
  const lost = sent.filter(({ status }) => status === 'rejected').length;
  setCurrentDetails(lost === 0 ? 'Everybody has been told.' : `Nobody took ${String(lost)} of the messages.`);
}
