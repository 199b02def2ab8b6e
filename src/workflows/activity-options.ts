import type { ActivityOptions } from '@temporalio/workflow';

/** A few statements in one transaction. Tried until the database is back: a registration must end in all or nothing. */
export const DATABASE_ACTIVITY: ActivityOptions = {
  startToCloseTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' },
};

/** One SMTP conversation. Tried until the mail server is back; what it refuses for good is not retryable. */
export const MAIL_ACTIVITY: ActivityOptions = {
  startToCloseTimeout: '20s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
};
