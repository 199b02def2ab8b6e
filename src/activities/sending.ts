import { ApplicationFailure } from '@temporalio/common';

/** Tells errors that no retry can mend, declared where they are thrown. */
const isPermanent = (error: unknown): error is Error =>
  error instanceof Error && 'permanent' in error && error.permanent === true;

/** What the mail server or the SMS gateway refuses for good is not tried again. */
export const sending = async (type: 'MAIL_REJECTED' | 'SMS_REJECTED', send: () => Promise<unknown>): Promise<void> => {
  try {
    await send();
  } catch (error) {
    if (isPermanent(error)) throw ApplicationFailure.nonRetryable(error.message, type);
    throw error;
  }
};
