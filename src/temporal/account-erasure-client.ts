import { randomUUID } from 'node:crypto';

import { WithStartWorkflowOperation } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import {
  ACCOUNT_ERASURE_WORKFLOW,
  type AccountErasureInput,
  accountErasureWorkflowId,
  type BeginErasureOutcome,
  beginErasureUpdate,
  erasureChangedSignal,
} from '../contracts/account-erasure-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

const startOf = (input: AccountErasureInput) =>
  new WithStartWorkflowOperation(ACCOUNT_ERASURE_WORKFLOW, {
    workflowId: accountErasureWorkflowId(input.userId),
    taskQueue: TASK_QUEUES.account,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'A person wants the account erased',
    staticDetails:
      'Steps: store the erasure, tell the owner, wait for the grace in which the owner can take it back, close the account and end every ' +
      'session, tell the owner for the last time, delete the other workflows of the person, empty the queue, destroy the secret of the ' +
      'person and drop every row.',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.userId, value: input.userId },
      { key: SEARCH_ATTRIBUTES.accountErasureStatus, value: 'open' },
    ]),
  });

export const createAccountErasureClient = ({ client, askRunningOrNew, wake }: Calls) => ({
  /** Begins the erasure of an account, in the workflow that runs or in a new one, or gives the one that is pending. */
  beginErasure: (input: AccountErasureInput, erasureId: string): Promise<BeginErasureOutcome> => {
    const ask = () =>
      client.workflow.executeUpdateWithStart(beginErasureUpdate, {
        args: [{ erasureId }],
        updateId: randomUUID(),
        startWorkflowOperation: startOf(input),
      });
    return askRunningOrNew(ask);
  },

  /** Wakes the erasure that runs, if one does. */
  tellErasureChanged: (userId: string): Promise<void> => wake(accountErasureWorkflowId(userId), erasureChangedSignal),
});
