import { randomUUID } from 'node:crypto';

import { WithStartWorkflowOperation } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import type { FactorCodeRefusal } from '../contracts/factor-code-workflow';
import {
  beginUpdate,
  cancelUpdate,
  type ConfirmOutcome,
  confirmUpdate,
  type EnrollmentAttempt,
  type EnrollmentBegin,
  MFA_ENROLLMENT_WORKFLOW,
  type MfaEnrollmentInput,
  mfaEnrollmentWorkflowId,
  type OpenEnrollment,
} from '../contracts/mfa-enrollment-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export interface EnrollmentStart {
  readonly input: MfaEnrollmentInput;
  readonly begin: EnrollmentBegin;
  /** The same for a repeated request, which then gets the same enrolment. */
  readonly updateId: string;
}

const startOf = (input: MfaEnrollmentInput) =>
  new WithStartWorkflowOperation(MFA_ENROLLMENT_WORKFLOW, {
    workflowId: mfaEnrollmentWorkflowId(input.userId, input.factor),
    taskQueue: TASK_QUEUES.mfa,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'A person sets up a second factor',
    staticDetails:
      'Steps: make and encrypt a secret or send a code, wait for the code, put the factor in force in the stead of an older one, enqueue the ' +
      'notice. Without the code it expires and nothing changes. Who begins again gets another secret; the older one ends.',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.userId, value: input.userId },
      { key: SEARCH_ATTRIBUTES.mfaEnrollmentStatus, value: 'open' },
    ]),
  });

export const createEnrollmentClient = ({ client, askRunningOrNew, update }: Calls) => ({
  /** Begins the enrolment of a second factor, in the workflow that runs or in a new one; an older one that is open ends. */
  beginEnrollment: ({ input, begin, updateId }: EnrollmentStart): Promise<OpenEnrollment | FactorCodeRefusal> => {
    const ask = (before: number) =>
      client.workflow.executeUpdateWithStart(beginUpdate, {
        args: [begin],
        updateId: before === 0 ? updateId : `${updateId}/${String(before)}`,
        startWorkflowOperation: startOf(input),
      });
    return askRunningOrNew(ask);
  },

  /**
   * A second call with one `attemptId` joins the first. `undefined` when the workflow has closed.
   *
   * The enrolment's id in the argument tells rounds of one account apart, so the newest run is the right one.
   */
  confirmEnrollment: (
    workflowId: string,
    attempt: EnrollmentAttempt,
    attemptId: string,
  ): Promise<ConfirmOutcome | undefined> =>
    update(() =>
      client.workflow.getHandle(workflowId).executeUpdate(confirmUpdate, { args: [attempt], updateId: attemptId }),
    ),

  cancelEnrollment: async (workflowId: string, enrollmentId: string): Promise<void> => {
    await update(() =>
      client.workflow
        .getHandle(workflowId)
        .executeUpdate(cancelUpdate, { args: [enrollmentId], updateId: randomUUID() }),
    );
  },
});
