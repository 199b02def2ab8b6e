import { randomUUID } from 'node:crypto';

import { WithStartWorkflowOperation } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import {
  ACCOUNT_RECOVERY_WORKFLOW,
  type AccountRecoveryInput,
  accountRecoveryWorkflowId,
  type BeginOutcome,
  beginRecoveryUpdate,
  type CompletionOutcome,
  completeRecoveryUpdate,
  type DecisionOutcome,
  decideRecoveryUpdate,
  type RecoveryBegin,
  recoveryChangedSignal,
  type RecoveryCompletion,
  type RecoveryDecision,
} from '../contracts/account-recovery-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

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

export const createAccountRecoveryClient = ({ client, askRunningOrNew, update, wake }: Calls) => {
  const handleOf = (userId: string) => client.workflow.getHandle(accountRecoveryWorkflowId(userId));

  return {
    /** Begins an account recovery, in the workflow that runs or in a new one, or gives the one that is open. */
    beginRecovery: (input: AccountRecoveryInput, begin: RecoveryBegin): Promise<BeginOutcome> => {
      const ask = () =>
        client.workflow.executeUpdateWithStart(beginRecoveryUpdate, {
          args: [begin],
          updateId: randomUUID(),
          startWorkflowOperation: startOf(input),
        });
      return askRunningOrNew(ask);
    },

    /**
     * A second call with one `decisionId` joins the first. `undefined` when none runs.
     *
     * The recovery's id in the argument tells rounds of one account apart, so the newest run is the right one.
     */
    decideRecovery: (
      userId: string,
      decision: RecoveryDecision,
      decisionId: string,
    ): Promise<DecisionOutcome | undefined> =>
      update(() => handleOf(userId).executeUpdate(decideRecoveryUpdate, { args: [decision], updateId: decisionId })),

    /** A second call with one `attemptId` joins the first. `undefined` when none runs. */
    completeRecovery: (userId: string, completion: RecoveryCompletion): Promise<CompletionOutcome | undefined> =>
      update(() =>
        handleOf(userId).executeUpdate(completeRecoveryUpdate, { args: [completion], updateId: completion.attemptId }),
      ),

    /** Wakes the recovery that runs, if one does. */
    tellRecoveryChanged: (userId: string): Promise<void> =>
      wake(accountRecoveryWorkflowId(userId), recoveryChangedSignal),
  };
};
