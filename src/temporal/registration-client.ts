import { TypedSearchAttributes } from '@temporalio/common';

import {
  type RegistrationInput,
  REGISTRATION_WORKFLOW,
  type ResendOutcome,
  resendUpdate,
  type VerifyAttempt,
  type VerifyOutcome,
  verifyUpdate,
} from '../contracts/registration-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export interface RegistrationStart {
  readonly workflowId: string;
  readonly input: RegistrationInput;
  /** Blind index of the address, hex; what an operator searches by. */
  readonly emailIndex: string;
}

/** One run of a registration. */
export interface RegistrationRun {
  readonly workflowId: string;
  readonly registrationId: string;
}

export const createRegistrationClient = ({ client, ask, update }: Calls) => {
  /** One run; never a later run that happens to have the same workflow id. */
  const runOf = ({ workflowId, registrationId }: RegistrationRun) =>
    client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: registrationId });

  return {
    /** Starts a registration or joins the one that runs under this id. @returns its run id, a UUIDv7 */
    startRegistration: ({ workflowId, input, emailIndex }: RegistrationStart): Promise<string> =>
      ask(async () => {
        const handle = await client.workflow.start(REGISTRATION_WORKFLOW, {
          workflowId,
          taskQueue: TASK_QUEUES.registration,
          args: [input],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: 'A person registers',
          staticDetails:
            'Steps: store the pending registration, mail a code, wait for the code, open the account, enqueue the welcome mail. ' +
            'Without the code it expires and what it stored is dropped.',
          typedSearchAttributes: new TypedSearchAttributes([
            { key: SEARCH_ATTRIBUTES.emailIndex, value: emailIndex },
            { key: SEARCH_ATTRIBUTES.registrationStatus, value: 'verification_pending' },
          ]),
        });
        return handle.firstExecutionRunId;
      }),

    /** A second call with one `attemptId` joins the first. `undefined` when the run has closed: the database knows how it ended. */
    verifyRegistration: (
      run: RegistrationRun,
      { code, attemptId, callingService }: VerifyAttempt,
    ): Promise<VerifyOutcome | undefined> =>
      update(() =>
        runOf(run).executeUpdate(verifyUpdate, {
          args: callingService === undefined ? [code] : [code, callingService],
          updateId: attemptId,
        }),
      ),

    /** A second call with one `resendId` joins the first. `undefined` when the run has closed. */
    resendRegistrationCode: (run: RegistrationRun, resendId: string): Promise<ResendOutcome | undefined> =>
      update(() => runOf(run).executeUpdate(resendUpdate, { updateId: resendId })),

    /** Whether a registration with this run id is open. Visibility lags behind by up to a second. */
    isRegistrationOpen: (registrationId: string): Promise<boolean> =>
      ask(async () => {
        const query = `RunId = '${registrationId}' AND WorkflowType = '${REGISTRATION_WORKFLOW}' AND ExecutionStatus = 'Running'`;
        const { count } = await client.workflow.count(query);
        return count > 0;
      }),
  };
};
