import {
  allHandlersFinished,
  CancellationScope,
  condition,
  currentUpdateInfo,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';

import type { RegistrationActivities } from '../activities/registration';
import {
  type RegistrationInput,
  type RegistrationResult,
  resendUpdate,
  verifyUpdate,
} from '../contracts/registration-workflow';
import { SEARCH_ATTRIBUTES } from '../contracts/search-attributes';

import { databaseActivities, mailActivities } from './activity-options';
import { createCompensations } from './compensation';
import { createSending } from './sending';

const database = databaseActivities<RegistrationActivities>();
const { createPendingRegistration } = database('Store the pending registration');
const { activateUser } = database('Try the code; if it is right, open the account');
const { reissueCode } = database('Issue a new code');
const { enqueueUserRegistered } = database('Enqueue the welcome mail');
const { purgeRegistration } = database('Close the registration and drop its personal data');
const { sendRegistrationMail } = mailActivities('Mail the code, or word that the address is taken');

/**
 * A person registers. Ends in one account and one welcome mail (`completed`), or in nothing at all (`expired`), whatever is
 * killed on the way. The registration's id is the id of the first run, so that an operator may reset a run without losing it.
 */
export async function registration({ submission, expiresInMs }: RegistrationInput): Promise<RegistrationResult> {
  const { firstExecutionRunId: registrationId, workflowId } = workflowInfo();
  const compensations = createCompensations();
  const mailing = createSending<number>((issue) => sendRegistrationMail({ registrationId, issue }), {
    sent: (issue) => `Mail ${String(issue)} was accepted by the mail server. Waiting for the code.`,
    refused: (issue) => `The mail server refused mail ${String(issue)} for good. Waiting for a resend.`,
  });
  let stored = false;
  let settling = false;
  let userId: string | undefined;

  setHandler(verifyUpdate, async (code, callingService) => {
    await condition(() => stored || settling);
    const attemptId = currentUpdateInfo()?.id ?? '';
    // Once begun it is finished: a cancelled workflow must know whether there is an account.
    const attempt = { registrationId, code, attemptId, callingService };
    const result = await CancellationScope.nonCancellable(() => activateUser(attempt));
    if (result.outcome === 'activated') userId = result.userId;
    else if (result.outcome === 'too_many_attempts') setCurrentDetails('Too many wrong codes. Waiting for a resend.');
    return result;
  });

  setHandler(resendUpdate, async () => {
    await condition(() => stored || settling);
    const result = await reissueCode({ registrationId, resendId: currentUpdateInfo()?.id ?? '' });
    if (result.outcome === 'issued') mailing.start(result.issue);
    return result;
  });

  const waitForCode = async (): Promise<void> => {
    setCurrentDetails('Storing the pending registration.');
    compensations.push(() => purgeRegistration({ registrationId }));
    const { remainingMs } = await createPendingRegistration({ registrationId, workflowId, submission, expiresInMs });
    stored = true;
    setCurrentDetails('Stored. Sending the mail.');
    mailing.start(1);
    await condition(() => userId !== undefined, remainingMs, { summary: 'Expiry of the registration' });
  };

  const settle = async (): Promise<void> => {
    settling = true;
    mailing.cancel();
    await condition(allHandlersFinished);
    if (userId === undefined) {
      await compensations.unwind();
      setCurrentDetails('Expired without the right code. Its personal data is dropped.');
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.registrationStatus, value: 'expired' }]);
    } else {
      await enqueueUserRegistered({ userId });
      setCurrentDetails('Completed: the account is open and the welcome mail is enqueued.');
      upsertSearchAttributes([
        { key: SEARCH_ATTRIBUTES.registrationStatus, value: 'completed' },
        { key: SEARCH_ATTRIBUTES.userId, value: userId },
      ]);
    }
    await condition(allHandlersFinished);
  };

  try {
    await waitForCode();
  } finally {
    await CancellationScope.nonCancellable(settle);
  }
  return userId === undefined ? 'expired' : 'completed';
}
