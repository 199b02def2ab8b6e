import { UnrecoverableError } from 'bullmq';

/** An error that says of itself whether trying again may help, such as the mailer's. */
const isPermanent = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'permanent' in error && error.permanent === true;

const MAX_REASON_LENGTH = 500;

/** The message of an error with everything that looks like an e-mail address taken out, at most 500 characters. */
export const reasonOf = (error: unknown): string => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, MAX_REASON_LENGTH).replace(/[^\s<>"'@]*@[^\s<>"'@]+/g, '[address]');
};

/**
 * The error that BullMQ is to record for a failed attempt: unrecoverable (a dead letter at once) when trying again
 * cannot help, and free of addresses, because the reason and the stack are stored and shown to operators.
 */
export const toJobFailure = (error: unknown): Error => {
  const reason = reasonOf(error);
  const failure =
    isPermanent(error) || error instanceof UnrecoverableError ? new UnrecoverableError(reason) : new Error(reason);
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  failure.stack = [`${failure.name}: ${reason}`, ...frames].join('\n');
  return failure;
};
