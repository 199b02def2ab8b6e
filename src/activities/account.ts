import type { NoticeInput } from '../contracts/notice-workflow';
import type { NewPassword, OpenReset, ReissueOutcome, ResetOutcome } from '../contracts/password-reset-workflow';
import type { QueueProducer } from '../queue/queue.producer';
import type { PasswordResetRepository } from '../repositories/password-reset-repository';
import type { UserRepository } from '../repositories/user-repository';

interface Dependencies {
  readonly resets: PasswordResetRepository;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly queue: Pick<QueueProducer, 'addNotice'>;
}

interface NewReset {
  readonly resetId: string;
  readonly workflowId: string;
  readonly emailIndex: string;
  readonly expiresInMs: number;
}

/** The steps of the `account` task queue. Each may run twice without harm. */
export const createAccountActivities = ({ resets, users, queue }: Dependencies) => ({
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

  /** The job's id follows from the event, so a second run meets the first job. */
  async enqueueNotice({ name, eventId, userId }: NoticeInput): Promise<void> {
    const user = await users.findById(userId);
    // An account that was erased meanwhile is told nothing.
    if (user !== undefined) await queue.addNotice(name, { eventId, userId, email: user.email, locale: user.locale });
  },
});
export type AccountActivities = ReturnType<typeof createAccountActivities>;
