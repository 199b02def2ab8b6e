import { TypedSearchAttributes } from '@temporalio/common';

import {
  type NewPassword,
  PASSWORD_RESET_WORKFLOW,
  type PasswordResetInput,
  requestSignal,
  type ResetOutcome,
  resetUpdate,
} from '../contracts/password-reset-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import type { Calls } from './calls';

export const createPasswordResetClient = ({ client, ask, update }: Calls) => ({
  /** Starts the password reset of an address, or asks the one that runs for another mail: one call, the same for both. */
  requestPasswordReset: ({ workflowId, input }: { workflowId: string; input: PasswordResetInput }): Promise<void> =>
    ask(async () => {
      await client.workflow.signalWithStart(PASSWORD_RESET_WORKFLOW, {
        workflowId,
        taskQueue: TASK_QUEUES.account,
        args: [input],
        signal: requestSignal,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: 'A person has forgotten the password',
        staticDetails:
          'Steps: store the reset (a decoy where nobody has the address), mail a link, wait for the new password, set it and end ' +
          'every session, enqueue the notice. Without a new password the link expires and nothing changes.',
        typedSearchAttributes: new TypedSearchAttributes([
          { key: SEARCH_ATTRIBUTES.emailIndex, value: input.emailIndex },
          { key: SEARCH_ATTRIBUTES.passwordResetStatus, value: 'open' },
        ]),
      });
    }),

  /**
   * A second call with one `attemptId` joins the first. `undefined` when the workflow has closed.
   *
   * The reset's id in the argument tells rounds of one address apart, so the newest run is the right one.
   */
  resetPassword: (workflowId: string, password: NewPassword, attemptId: string): Promise<ResetOutcome | undefined> =>
    update(() =>
      client.workflow.getHandle(workflowId).executeUpdate(resetUpdate, { args: [password], updateId: attemptId }),
    ),
});
