import type { NoticeEvent } from '../contracts/notification-jobs';
import type { NewPassword, OpenReset, ReissueOutcome, ResetOutcome } from '../contracts/password-reset-workflow';
import type { EnqueueNotice } from '../identity/notices';
import type { PasswordResetRepository } from '../repositories/password-reset-repository';

interface Dependencies {
  readonly resets: PasswordResetRepository;
  readonly enqueueNotice: EnqueueNotice;
}

interface NewReset {
  readonly resetId: string;
  readonly workflowId: string;
  readonly emailIndex: string;
  readonly expiresInMs: number;
}

/** The steps of the `account` task queue. Each may run twice without harm. */
export const createAccountActivities = ({ resets, enqueueNotice }: Dependencies) => ({
  createPasswordReset: ({ emailIndex, ...reset }: NewReset): Promise<OpenReset> =>
    resets.create({ ...reset, emailIndex: Uint8Array.from(Buffer.from(emailIndex, 'hex')) }),

  reissuePasswordReset: (request: {
    resetId: string;
    requestId: string;
    expiresInMs: number;
  }): Promise<ReissueOutcome> => resets.reissue(request),

  /** In one transaction: the new password, the end of every session, the end of the link. */
  resetPassword: (attempt: NewPassword & { attemptId: string }): Promise<ResetOutcome> => resets.complete(attempt),

  expirePasswordReset: ({ resetId }: { resetId: string }): Promise<void> => resets.expire(resetId),

  /** What a workflow has done needs no outbox: this step is tried until it is done. */
  enqueueNotice: (event: NoticeEvent): Promise<void> => enqueueNotice(event),
});
export type AccountActivities = ReturnType<typeof createAccountActivities>;
