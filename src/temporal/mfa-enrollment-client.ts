import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';

import { AppError } from '../contracts/errors';
import type { FactorCodeRefusal } from '../contracts/factor-code-workflow';
import {
  beginUpdate,
  type EnrollmentBegin,
  MFA_ENROLLMENT_WORKFLOW,
  type MfaEnrollmentInput,
  mfaEnrollmentWorkflowId,
  type OpenEnrollment,
} from '../contracts/mfa-enrollment-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import { askRunningOrNew } from './update-with-start';

export interface EnrollmentStart {
  readonly input: MfaEnrollmentInput;
  readonly begin: EnrollmentBegin;
  /** The same for a repeated request, which then gets the same enrolment. */
  readonly updateId: string;
}

const TRIES = 5;

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

/** Begins an enrolment, in the workflow that runs or in a new one. @throws {AppError} `service_unavailable` */
export const beginEnrollment = async (
  client: Client,
  { input, begin, updateId }: EnrollmentStart,
): Promise<OpenEnrollment | FactorCodeRefusal> => {
  const answer = await askRunningOrNew(TRIES, (before) =>
    client.workflow.executeUpdateWithStart(beginUpdate, {
      args: [begin],
      updateId: before === 0 ? updateId : `${updateId}/${String(before)}`,
      startWorkflowOperation: startOf(input),
    }),
  );
  if (answer !== undefined) return answer;
  throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
};
