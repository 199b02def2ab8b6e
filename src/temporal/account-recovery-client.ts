import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import {
  ACCOUNT_RECOVERY_WORKFLOW,
  type AccountRecoveryInput,
  accountRecoveryWorkflowId,
  type BeginOutcome,
  beginRecoveryUpdate,
  type RecoveryBegin,
} from '../contracts/account-recovery-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

/** A workflow that ends while it is asked is followed by another one. */
const ENDING_TRIES = 10;
const ENDING_PAUSE_MS = 100;

const startOf = (input: AccountRecoveryInput) =>
  new WithStartWorkflowOperation(ACCOUNT_RECOVERY_WORKFLOW, {
    workflowId: accountRecoveryWorkflowId(input.userId),
    taskQueue: TASK_QUEUES.account,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'A person has lost every second factor',
    staticDetails:
      'Steps: store the recovery, tell the owner by every channel, wait for the owner to object, wait for the approval of support, mail ' +
      'the token, wait for it and the password, remove every factor and end every session. The owner can cancel until then.',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.userId, value: input.userId },
      { key: SEARCH_ATTRIBUTES.accountRecoveryStatus, value: 'open' },
    ]),
  });

/** Begins a recovery, in the workflow that runs or in a new one. */
export const beginRecovery = async (
  client: Client,
  input: AccountRecoveryInput,
  begin: RecoveryBegin,
): Promise<BeginOutcome> => {
  let outcome: BeginOutcome = { outcome: 'ending' };
  for (let tries = 0; tries < ENDING_TRIES && outcome.outcome === 'ending'; tries += 1) {
    if (tries > 0) await sleep(ENDING_PAUSE_MS);
    try {
      outcome = await client.workflow.executeUpdateWithStart(beginRecoveryUpdate, {
        args: [begin],
        updateId: randomUUID(),
        startWorkflowOperation: startOf(input),
      });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError)) throw error;
    }
  }
  return outcome;
};
