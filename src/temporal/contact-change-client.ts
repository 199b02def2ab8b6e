import { WithStartWorkflowOperation } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import {
  type ContactAttempt,
  type ContactAttemptOutcome,
  CONTACT_CHANGE_WORKFLOW,
  type ContactChangeInput,
  contactChangeWorkflowId,
  type ContactChannel,
  contactConfirmUpdate,
  type ContactRequest,
  type ContactRequestOutcome,
  contactRequestUpdate,
} from '../contracts/contact-change-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export interface ContactChangeStart {
  readonly input: ContactChangeInput;
  readonly request: ContactRequest;
  /** Of this delivery: a repeated request is a new update for the same `changeId`. */
  readonly updateId: string;
}

const SUMMARIES: Readonly<Record<ContactChannel, string>> = {
  phone: 'A person changes the phone number',
  email: 'A person changes the e-mail address',
};

const startOf = (input: ContactChangeInput) =>
  new WithStartWorkflowOperation(CONTACT_CHANGE_WORKFLOW, {
    workflowId: contactChangeWorkflowId(input.channel, input.userId),
    taskQueue: TASK_QUEUES.account,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: SUMMARIES[input.channel],
    staticDetails:
      'Steps: store the code (a decoy where somebody else has the contact), send it, wait for it, change the contact, tell the old and ' +
      'the new one and the owner. Without the code it expires and nothing changes.',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.userId, value: input.userId },
      { key: SEARCH_ATTRIBUTES.contactChangeStatus, value: 'open' },
    ]),
  });

export const createContactChangeClient = ({ client, askRunningOrNew, update }: Calls) => ({
  /** Starts the change of a phone or an address, or asks the one that runs for another code. */
  requestContactChange: ({ input, request, updateId }: ContactChangeStart): Promise<ContactRequestOutcome> => {
    const ask = (before: number) =>
      client.workflow.executeUpdateWithStart(contactRequestUpdate, {
        args: [request],
        updateId: `${updateId}/${String(before)}`,
        startWorkflowOperation: startOf(input),
      });
    return askRunningOrNew(ask);
  },

  /** A second call with one `attemptId` joins the first. `undefined` when none is open. */
  confirmContactChange: (
    { channel, userId }: { readonly channel: ContactChannel; readonly userId: string },
    attempt: ContactAttempt,
  ): Promise<ContactAttemptOutcome | undefined> =>
    update(() =>
      client.workflow
        .getHandle(contactChangeWorkflowId(channel, userId))
        .executeUpdate(contactConfirmUpdate, { args: [attempt], updateId: attempt.attemptId }),
    ),
});
