import { randomUUID } from 'node:crypto';

import {
  type Client,
  isGrpcServiceError,
  isGrpcDeadlineError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { type SignalDefinition, TypedSearchAttributes } from '@temporalio/common';

import {
  type AccountErasureInput,
  accountErasureWorkflowId,
  type BeginErasureOutcome,
  erasureChangedSignal,
} from '../contracts/account-erasure-workflow';
import {
  type AccountRecoveryInput,
  accountRecoveryWorkflowId,
  type BeginOutcome,
  type CompletionOutcome,
  completeRecoveryUpdate,
  type DecisionOutcome,
  decideRecoveryUpdate,
  type RecoveryBegin,
  recoveryChangedSignal,
  type RecoveryCompletion,
  type RecoveryDecision,
} from '../contracts/account-recovery-workflow';
import {
  type ContactAttempt,
  type ContactAttemptOutcome,
  contactChangeWorkflowId,
  type ContactChannel,
  contactConfirmUpdate,
  type ContactRequestOutcome,
} from '../contracts/contact-change-workflow';
import { DATA_EXPORT_WORKFLOW, type DataExportInput, dataExportWorkflowId } from '../contracts/data-export-workflow';
import { AppError } from '../contracts/errors';
import type { FactorCodeInput, FactorCodeRefusal } from '../contracts/factor-code-workflow';
import {
  cancelUpdate,
  type ConfirmOutcome,
  confirmUpdate,
  type EnrollmentAttempt,
  type OpenEnrollment,
} from '../contracts/mfa-enrollment-workflow';
import {
  type NewPassword,
  PASSWORD_RESET_WORKFLOW,
  type PasswordResetInput,
  requestSignal,
  type ResetOutcome,
  resetUpdate,
} from '../contracts/password-reset-workflow';
import {
  type RegistrationInput,
  REGISTRATION_WORKFLOW,
  type ResendOutcome,
  resendUpdate,
  type VerifyOutcome,
  verifyUpdate,
} from '../contracts/registration-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';
import { TASK_QUEUES } from '../contracts/task-queues';

import { beginErasure } from './account-erasure-client';
import { beginRecovery } from './account-recovery-client';
import { type ContactChangeStart, requestContactChange } from './contact-change-client';
import { sendFactorCode } from './factor-code-client';
import { beginEnrollment, type EnrollmentStart } from './mfa-enrollment-client';

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

/** What the request path may ask of Temporal. Every method throws {AppError} `service_unavailable` when it does not answer. */
export interface WorkflowStarter {
  /** Starts a registration or joins the one that runs under this id. @returns its run id, a UUIDv7 */
  startRegistration(start: RegistrationStart): Promise<string>;
  /** A second call with one `attemptId` joins the first. `undefined` when the run has closed: the database knows how it ended. */
  verifyRegistration(run: RegistrationRun, code: string, attemptId: string): Promise<VerifyOutcome | undefined>;
  /** A second call with one `resendId` joins the first. `undefined` when the run has closed. */
  resendRegistrationCode(run: RegistrationRun, resendId: string): Promise<ResendOutcome | undefined>;
  /** Whether a registration with this run id is open. Visibility lags behind by up to a second. */
  isRegistrationOpen(registrationId: string): Promise<boolean>;
  /** Starts the password reset of an address, or asks the one that runs for another mail: one call, the same for both. */
  requestPasswordReset(request: { workflowId: string; input: PasswordResetInput }): Promise<void>;
  /** A second call with one `attemptId` joins the first. `undefined` when the workflow has closed. */
  resetPassword(workflowId: string, password: NewPassword, attemptId: string): Promise<ResetOutcome | undefined>;
  /** Starts the change of a phone or an address, or asks the one that runs for another code. */
  requestContactChange(start: ContactChangeStart): Promise<ContactRequestOutcome>;
  /** A second call with one `attemptId` joins the first. `undefined` when none is open. */
  confirmContactChange(
    change: { readonly channel: ContactChannel; readonly userId: string },
    attempt: ContactAttempt,
  ): Promise<ContactAttemptOutcome | undefined>;
  /** Has the code of a second factor sent; a second call for the same one changes nothing. */
  sendFactorCode(code: FactorCodeInput): Promise<void>;
  /** Begins the enrolment of a second factor; an older one that is open ends. */
  beginEnrollment(start: EnrollmentStart): Promise<OpenEnrollment | FactorCodeRefusal>;
  /** A second call with one `attemptId` joins the first. `undefined` when the workflow has closed. */
  confirmEnrollment(
    workflowId: string,
    attempt: EnrollmentAttempt,
    attemptId: string,
  ): Promise<ConfirmOutcome | undefined>;
  cancelEnrollment(workflowId: string, enrollmentId: string): Promise<void>;
  /** Begins an account recovery, or gives the one that runs. */
  beginRecovery(input: AccountRecoveryInput, begin: RecoveryBegin): Promise<BeginOutcome>;
  /** A second call with one `decisionId` joins the first. `undefined` when none runs. */
  decideRecovery(userId: string, decision: RecoveryDecision, decisionId: string): Promise<DecisionOutcome | undefined>;
  /** A second call with one `attemptId` joins the first. `undefined` when none runs. */
  completeRecovery(userId: string, completion: RecoveryCompletion): Promise<CompletionOutcome | undefined>;
  /** Begins the erasure of an account, or gives the one that is pending. */
  beginErasure(input: AccountErasureInput, erasureId: string): Promise<BeginErasureOutcome>;
  /** Has an export made; a second call for the same one changes nothing. */
  startExport(input: DataExportInput): Promise<void>;
  /** Wakes the erasure that runs, if one does. */
  tellErasureChanged(userId: string): Promise<void>;
  /** Wakes the recovery that runs, if one does. */
  tellRecoveryChanged(userId: string): Promise<void>;
}

interface Timeouts {
  readonly rpcTimeoutMs: number;
  readonly updateTimeoutMs: number;
}

/** Temporal is away, or has no worker to answer an update: nothing is lost, the caller may try again. */
const isUnavailable = (error: unknown): boolean =>
  error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
  error instanceof ServiceError ||
  isGrpcServiceError(error) ||
  isGrpcDeadlineError(error);

export const createWorkflowStarter = (client: Client, { rpcTimeoutMs, updateTimeoutMs }: Timeouts): WorkflowStarter => {
  const call = async <T>(timeoutMs: number, work: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      if (isUnavailable(error)) throw new AppError('service_unavailable', { retryAfterSeconds: 5, cause: error });
      throw error;
    }
  };

  /** @returns undefined when there is no such workflow, or none that runs */
  const update = async <T>(
    handle: ReturnType<Client['workflow']['getHandle']>,
    send: (handle: ReturnType<Client['workflow']['getHandle']>) => Promise<T>,
  ) => {
    try {
      return await call(updateTimeoutMs, () => send(handle));
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };

  /** Nothing where none runs. */
  const wake = (workflowId: string, signal: SignalDefinition): Promise<void> =>
    call(rpcTimeoutMs, async () => {
      try {
        await client.workflow.getHandle(workflowId).signal(signal);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    });

  /** One run; never a later run that happens to have the same workflow id. */
  const runOf = ({ workflowId, registrationId }: RegistrationRun) =>
    client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: registrationId });

  return {
    startRegistration: ({ workflowId, input, emailIndex }) =>
      call(rpcTimeoutMs, async () => {
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

    verifyRegistration: (run, code, attemptId) =>
      update(runOf(run), (handle) => handle.executeUpdate(verifyUpdate, { args: [code], updateId: attemptId })),

    resendRegistrationCode: (run, resendId) =>
      update(runOf(run), (handle) => handle.executeUpdate(resendUpdate, { updateId: resendId })),

    requestPasswordReset: ({ workflowId, input }) =>
      call(rpcTimeoutMs, async () => {
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

    // The reset's id in the argument tells rounds of one address apart, so the newest run is the right one.
    resetPassword: (workflowId, password, attemptId) =>
      update(client.workflow.getHandle(workflowId), (handle) =>
        handle.executeUpdate(resetUpdate, { args: [password], updateId: attemptId }),
      ),

    requestContactChange: (start) => call(updateTimeoutMs, () => requestContactChange(client, start)),

    confirmContactChange: ({ channel, userId }, attempt) =>
      update(client.workflow.getHandle(contactChangeWorkflowId(channel, userId)), (handle) =>
        handle.executeUpdate(contactConfirmUpdate, { args: [attempt], updateId: attempt.attemptId }),
      ),

    sendFactorCode: (code) => call(rpcTimeoutMs, () => sendFactorCode(client, code)),

    beginEnrollment: (start) => call(updateTimeoutMs, () => beginEnrollment(client, start)),

    // The enrolment's id in the argument tells rounds of one account apart, so the newest run is the right one.
    confirmEnrollment: (workflowId, attempt, attemptId) =>
      update(client.workflow.getHandle(workflowId), (handle) =>
        handle.executeUpdate(confirmUpdate, { args: [attempt], updateId: attemptId }),
      ),

    cancelEnrollment: async (workflowId, enrollmentId) => {
      await update(client.workflow.getHandle(workflowId), (handle) =>
        handle.executeUpdate(cancelUpdate, { args: [enrollmentId], updateId: randomUUID() }),
      );
    },

    beginRecovery: (input, begin) => call(updateTimeoutMs, () => beginRecovery(client, input, begin)),

    // The recovery's id in the argument tells rounds of one account apart, so the newest run is the right one.
    decideRecovery: (userId, decision, decisionId) =>
      update(client.workflow.getHandle(accountRecoveryWorkflowId(userId)), (handle) =>
        handle.executeUpdate(decideRecoveryUpdate, { args: [decision], updateId: decisionId }),
      ),

    completeRecovery: (userId, completion) =>
      update(client.workflow.getHandle(accountRecoveryWorkflowId(userId)), (handle) =>
        handle.executeUpdate(completeRecoveryUpdate, { args: [completion], updateId: completion.attemptId }),
      ),

    beginErasure: (input, erasureId) => call(updateTimeoutMs, () => beginErasure(client, input, erasureId)),

    startExport: (input) =>
      call(rpcTimeoutMs, async () => {
        await client.workflow.start(DATA_EXPORT_WORKFLOW, {
          workflowId: dataExportWorkflowId(input.exportId),
          taskQueue: TASK_QUEUES.account,
          args: [input],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: 'A person asks for a copy of all that is held about them',
          staticDetails: 'Steps: collect and seal it, mail that it is ready, wait until it expires, drop it.',
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.userId, value: input.userId }]),
        });
      }),

    tellErasureChanged: (userId) => wake(accountErasureWorkflowId(userId), erasureChangedSignal),
    tellRecoveryChanged: (userId) => wake(accountRecoveryWorkflowId(userId), recoveryChangedSignal),

    isRegistrationOpen: (registrationId) =>
      call(rpcTimeoutMs, async () => {
        const query = `RunId = '${registrationId}' AND WorkflowType = '${REGISTRATION_WORKFLOW}' AND ExecutionStatus = 'Running'`;
        const { count } = await client.workflow.count(query);
        return count > 0;
      }),
  };
};
