import {
  registrationExpiry,
  type RegistrationSubmission,
  type ResendOutcome,
  type VerifyAttempt,
  type VerifyOutcome,
} from '../contracts/registration-workflow';
import type { QueueProducer } from '../queue/queue.producer';
import type { RegistrationRepository } from '../repositories/registration-repository';
import type { UserRepository } from '../repositories/user-repository';

interface Dependencies {
  readonly registrations: Pick<RegistrationRepository, 'createPending' | 'activate' | 'reissueCode' | 'expire'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly queue: Pick<QueueProducer, 'addUserRegisteredJob'>;
}

interface PendingRegistration {
  readonly registrationId: string;
  readonly workflowId: string;
  readonly submission: RegistrationSubmission;
  readonly expiresInMs: number;
}

/** The steps of a registration that touch the database or the queue. Each may run twice without harm. */
export const createRegistrationActivities = ({ registrations, users, queue }: Dependencies) => ({
  /** @returns how long the registration still has, milliseconds: less than its life when no worker ran for a while */
  async createPendingRegistration({ registrationId, workflowId, submission, expiresInMs }: PendingRegistration) {
    const expiresAt = registrationExpiry(registrationId, expiresInMs);
    await registrations.createPending({ registrationId, workflowId, submission, expiresAt });
    return { remainingMs: Math.max(0, expiresAt.getTime() - Date.now()) };
  },

  /** Tries a code; the right one opens the account in the same transaction. */
  activateUser: ({ registrationId, ...attempt }: { registrationId: string } & VerifyAttempt): Promise<VerifyOutcome> =>
    registrations.activate(registrationId, attempt),

  reissueCode: (request: { registrationId: string; resendId: string }): Promise<ResendOutcome> =>
    registrations.reissueCode(request.registrationId, request.resendId),

  /** The job's id follows from the account, so a second run meets the first job. */
  async enqueueUserRegistered({ userId }: { userId: string }): Promise<void> {
    const user = await users.findById(userId);
    // An account that was erased meanwhile is not welcomed.
    if (user !== undefined) await queue.addUserRegisteredJob(user.id, user.email, user.locale);
  },

  purgeRegistration: ({ registrationId }: { registrationId: string }): Promise<void> =>
    registrations.expire(registrationId),
});
export type RegistrationActivities = ReturnType<typeof createRegistrationActivities>;
