import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  currentUpdateInfo,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';

import type { AccountActivities } from '../activities/account';
import {
  type OpenReset,
  type PasswordResetInput,
  type PasswordResetResult,
  requestSignal,
  RESET_RESEND_INTERVAL_MS,
  resetUpdate,
} from '../contracts/password-reset-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';

import { databaseActivities, mailActivities } from './activity-options';
import { createSending } from './sending';
import { now } from './workflow-clock';

const database = databaseActivities<AccountActivities>();
const { createPasswordReset } = database('Store the reset; a decoy where nobody has the address');
const { reissuePasswordReset } = database('Issue a new link, if the limits allow it');
const { resetPassword } = database('Set the new password and end every session');
const { expirePasswordReset } = database('Close the reset: its link stops working');
const { enqueueNotice } = database('Enqueue the notice that the password was changed');
const { sendPasswordResetMail } = mailActivities('Mail the link; nothing where nobody has the address');

/** What the handlers and the waiting tell each other. */
interface State {
  open?: OpenReset;
  /** Somebody asked for a mail since it was last looked at. */
  asked: boolean;
  settling: boolean;
  /** In another run: the history of this one has become long. */
  goesOn: boolean;
  /** Whose password is changed. */
  userId?: string;
}

/**
 * A person has forgotten the password. One workflow for each address; who asks again meanwhile is heard by it. Ends with a
 * new password, no session and one notice (`completed`), or with nothing changed (`expired`). For an address that nobody
 * has it takes the same steps.
 */
export async function passwordReset(input: PasswordResetInput): Promise<PasswordResetResult> {
  const { emailIndex, expiresInMs } = input;
  const { workflowId } = workflowInfo();
  const resetId = input.open?.resetId ?? uuid4();
  const mailing = createSending<number>((issue) => sendPasswordResetMail({ resetId, issue }), {
    sent: (issue) => `Mail ${String(issue)} is done. Waiting for the new password.`,
    refused: (issue) => `The mail server refused mail ${String(issue)} for good.`,
  });
  const state: State = { asked: false, settling: false, goesOn: false };
  const completed = (): boolean => state.userId !== undefined;

  setHandler(requestSignal, () => {
    state.asked = true;
  });
  setHandler(resetUpdate, async (password) => {
    await condition(() => state.open !== undefined || state.settling);
    const attemptId = currentUpdateInfo()?.id ?? '';
    // Once begun it is finished: a cancelled workflow must know whether there is a new password.
    const result = await CancellationScope.nonCancellable(() => resetPassword({ ...password, attemptId }));
    if (result.outcome === 'reset') state.userId = result.userId;
    return result;
  });

  /** Who asks within a minute meant the mail that is on its way; this costs no activity, however often it is done. */
  const answerRequest = async (current: OpenReset): Promise<OpenReset> => {
    if (now() - current.issuedAt < RESET_RESEND_INTERVAL_MS) return current;
    const reissued = await reissuePasswordReset({ resetId, requestId: uuid4(), expiresInMs });
    if (reissued.outcome !== 'issued') return current;
    const { issue, issuedAt, expiresAt } = reissued;
    mailing.start(issue);
    return { resetId, issue, issuedAt, expiresAt };
  };

  const waitForPassword = async (): Promise<void> => {
    setCurrentDetails('Storing the reset.');
    // The request that started this run is the one that is answered now.
    if (input.open === undefined) state.asked = false;
    state.open = input.open ?? (await createPasswordReset({ resetId, workflowId, emailIndex, expiresInMs }));
    setCurrentDetails('Stored. Sending the mail.');
    mailing.start(state.open.issue);
    while (!completed() && state.open.expiresAt > now()) {
      const remainingMs = state.open.expiresAt - now();
      await condition(() => completed() || state.asked, remainingMs, { summary: 'Expiry of the link' });
      if (!state.asked) continue;
      state.asked = false;
      state.open = await answerRequest(state.open);
      state.goesOn = workflowInfo().continueAsNewSuggested;
      if (state.goesOn) return;
    }
  };

  const settle = async (): Promise<void> => {
    state.settling = true;
    mailing.cancel();
    await condition(allHandlersFinished);
    if (state.userId !== undefined) {
      await enqueueNotice({ name: 'password:changed', eventId: resetId, userId: state.userId });
      setCurrentDetails('Completed: the password is changed, every session has ended, the notice is enqueued.');
      upsertSearchAttributes([
        { key: SEARCH_ATTRIBUTES.passwordResetStatus, value: 'completed' },
        { key: SEARCH_ATTRIBUTES.userId, value: state.userId },
      ]);
    } else if (!state.goesOn) {
      await expirePasswordReset({ resetId });
      setCurrentDetails('Expired: the password stays as it was.');
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.passwordResetStatus, value: 'expired' }]);
    }
    await condition(allHandlersFinished);
  };

  try {
    await waitForPassword();
  } finally {
    await CancellationScope.nonCancellable(settle);
  }
  if (state.goesOn && !completed()) {
    await continueAsNew<typeof passwordReset>({ emailIndex, expiresInMs, open: state.open });
  }
  // Who asked while this reset was being closed is not forgotten.
  if (state.asked) await continueAsNew<typeof passwordReset>({ emailIndex, expiresInMs });
  return completed() ? 'completed' : 'expired';
}
