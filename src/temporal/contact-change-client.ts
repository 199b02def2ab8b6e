import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import {
  CONTACT_CHANGE_WORKFLOW,
  type ContactChangeInput,
  contactChangeWorkflowId,
  type ContactChannel,
  type ContactRequest,
  type ContactRequestOutcome,
  contactRequestUpdate,
} from '../contracts/contact-change-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

export interface ContactChangeStart {
  readonly input: ContactChangeInput;
  readonly request: ContactRequest;
  /** Of this delivery: a repeated request is a new update for the same `changeId`. */
  readonly updateId: string;
}

/** A workflow that ends while it is asked is followed by another one. */
const ENDING_TRIES = 10;
const ENDING_PAUSE_MS = 100;

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

/** The workflow closed between the start and the update. */
const isGone = (error: unknown): boolean =>
  error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError;

/** Asks for a code, of the workflow that runs or of a new one. */
export const requestContactChange = async (
  client: Client,
  { input, request, updateId }: ContactChangeStart,
): Promise<ContactRequestOutcome> => {
  let outcome: ContactRequestOutcome = { outcome: 'ending' };
  for (let tries = 0; tries < ENDING_TRIES && outcome.outcome === 'ending'; tries += 1) {
    if (tries > 0) await sleep(ENDING_PAUSE_MS);
    try {
      outcome = await client.workflow.executeUpdateWithStart(contactRequestUpdate, {
        args: [request],
        updateId: `${updateId}/${String(tries)}`,
        startWorkflowOperation: startOf(input),
      });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return outcome;
};
