import { randomUUID } from 'node:crypto';

import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
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

import { askRunningOrNew } from './update-with-start';

const TRIES = 10;

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
  const ask = () =>
    client.workflow.executeUpdateWithStart(beginRecoveryUpdate, {
      args: [begin],
      updateId: randomUUID(),
      startWorkflowOperation: startOf(input),
    });
  return (await askRunningOrNew(TRIES, ask, ({ outcome }) => outcome === 'ending')) ?? { outcome: 'ending' };
};
