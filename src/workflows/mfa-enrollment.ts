import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  currentUpdateInfo,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';

import type { AccountActivities } from '../activities/account';
import type { MfaEnrollmentActivities } from '../activities/mfa-enrollment';
import { FACTOR_CODE_WORKFLOW, type FactorCodeInput, factorCodeWorkflowId } from '../contracts/factor-code-workflow';
import {
  beginUpdate,
  cancelUpdate,
  confirmUpdate,
  type MfaEnrollmentInput,
  type MfaEnrollmentResult,
  type OpenEnrollment,
} from '../contracts/mfa-enrollment-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';

import { DATABASE_ACTIVITY } from './activity-options';
import { now } from './workflow-clock';

type Activities = MfaEnrollmentActivities & Pick<AccountActivities, 'enqueueNotice'>;
const database = (summary: string) => proxyActivities<Activities>({ ...DATABASE_ACTIVITY, summary });
const { createEnrollment } = database('Store a new secret, encrypted, or a code to send; an older enrolment ends');
const { confirmEnrollment } = database('Try the code; if it is right, put the factor in force');
const { endEnrollment } = database('End the enrolment and drop its secret');
const { enqueueNotice } = database('Enqueue the notice that a second factor is on');

/** What the handlers and the waiting tell each other. */
interface State {
  /** An enrolment is being stored: the next one waits, so that the newest is the one that is open. */
  beginning: boolean;
  /** No code can be sent now. */
  refused: boolean;
  open?: OpenEnrollment | undefined;
  result: MfaEnrollmentResult;
  /** Confirmed, and the owner is not told yet. */
  readonly untold: string[];
}

/** In a workflow of its own, which this one does not wait for: with the mail server down an enrolment must still expire in time. */
const sendCode = async (code: FactorCodeInput): Promise<void> => {
  await startChild(FACTOR_CODE_WORKFLOW, {
    workflowId: factorCodeWorkflowId(code.codeId),
    args: [code],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'The code of a second factor that is being set up is sent',
  });
};

const WAITING = 'Waiting for a code of the new factor. The old one, if there is one, stays in force.';
const ENDINGS: Readonly<Record<MfaEnrollmentResult, string>> = {
  confirmed: 'Confirmed: the factor is in force and the notice is enqueued.',
  cancelled: 'Cancelled by its owner: nothing has changed.',
  expired: 'Expired without the right code: nothing has changed.',
  refused: 'Refused: no code can be sent now, and nothing has changed.',
  too_many_attempts: 'Ended after too many wrong codes: nothing has changed.',
};

/**
 * A person sets up a second factor. One workflow for each account and kind of factor; who begins again meanwhile gets another
 * secret, and the older one is worth nothing from then on. Ends with the new factor in force and one notice, or with nothing
 * changed: the factor that was in force stays so until the new one is proven.
 */
export async function mfaEnrollment(input: MfaEnrollmentInput): Promise<MfaEnrollmentResult> {
  const { userId, factor, expiresInMs } = input;
  const { workflowId } = workflowInfo();
  const state: State = { beginning: false, refused: false, open: input.open, result: 'expired', untold: [] };

  /** Unless another one has taken its place. */
  const close = (enrollmentId: string, result: MfaEnrollmentResult): void => {
    if (state.open?.enrollmentId !== enrollmentId) return;
    state.open = undefined;
    state.result = result;
  };

  setHandler(beginUpdate, async ({ labelCiphertext }) => {
    const enrollmentId = uuid4();
    const enrollment = { enrollmentId, workflowId, userId, factor, labelCiphertext, expiresInMs };
    // Of several that wait, one at a time goes on.
    while (state.beginning) await condition(() => !state.beginning);
    state.beginning = true;
    try {
      const created = await CancellationScope.nonCancellable(() => createEnrollment(enrollment));
      if ('refused' in created) {
        if (state.open === undefined) state.result = 'refused';
        state.refused = true;
        return created;
      }
      const open = { enrollmentId, expiresAt: created.expiresAt };
      state.open = open;
      setCurrentDetails(WAITING);
      if (factor === 'email_otp' || factor === 'sms_otp')
        await CancellationScope.nonCancellable(() => sendCode({ codeId: enrollmentId, factor }));
      return open;
    } finally {
      state.beginning = false;
    }
  });

  setHandler(confirmUpdate, async (attempt) => {
    const attemptId = currentUpdateInfo()?.id ?? '';
    // Once begun it is finished: a cancelled workflow must know whether there is a new factor.
    const result = await CancellationScope.nonCancellable(() => confirmEnrollment({ ...attempt, attemptId }));
    if (result.outcome === 'confirmed') {
      if (!state.untold.includes(attempt.enrollmentId)) state.untold.push(attempt.enrollmentId);
      close(attempt.enrollmentId, 'confirmed');
    } else if (result.outcome === 'too_many_attempts') close(attempt.enrollmentId, 'too_many_attempts');
    return result;
  });

  setHandler(cancelUpdate, async (enrollmentId) => {
    await CancellationScope.nonCancellable(() => endEnrollment({ enrollmentId }));
    close(enrollmentId, 'cancelled');
    return undefined;
  });

  const tell = async (): Promise<void> => {
    for (let eventId = state.untold.shift(); eventId !== undefined; eventId = state.untold.shift())
      await enqueueNotice({ name: 'mfa:enabled', eventId, userId });
  };

  /** Until there is nothing more to wait for, or the history has become long. */
  const waitForCode = async (): Promise<void> => {
    for (let current = state.open; current !== undefined; current = state.open) {
      const { enrollmentId, expiresAt } = current;
      const hasNews = (): boolean => state.open !== current;
      if (!(await condition(hasNews, Math.max(1, expiresAt - now()), { summary: 'Expiry of the enrolment' }))) {
        await endEnrollment({ enrollmentId });
        close(enrollmentId, 'expired');
      }
      if (workflowInfo().continueAsNewSuggested) return;
    }
  };

  /** Whatever was begun is finished, and whatever was confirmed is told, also of a workflow that is cancelled. */
  const settle = (): Promise<void> =>
    CancellationScope.nonCancellable(async () => {
      await condition(allHandlersFinished);
      await tell();
      await condition(allHandlersFinished);
    });

  try {
    // Whoever starts it begins an enrolment in the same call.
    await condition(() => state.open !== undefined || state.refused, expiresInMs, {
      summary: 'No enrolment was begun',
    });
    do {
      await waitForCode();
      await settle();
    } while (state.open !== undefined && !workflowInfo().continueAsNewSuggested);
  } catch (error) {
    await settle();
    const enrollmentId = state.open?.enrollmentId;
    if (enrollmentId !== undefined) await CancellationScope.nonCancellable(() => endEnrollment({ enrollmentId }));
    throw error;
  }
  if (state.open !== undefined) return continueAsNew<typeof mfaEnrollment>({ ...input, open: state.open });
  setCurrentDetails(ENDINGS[state.result]);
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.mfaEnrollmentStatus, value: state.result }]);
  return state.result;
}
