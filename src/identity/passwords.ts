import { createHmac, randomUUID } from 'node:crypto';

import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import { IDEMPOTENCY_KEY_LIFE_MS } from '../contracts/idempotency';
import type { ChangePasswordRequest, ResetPasswordRequest } from '../contracts/password';
import { resetPasswordHashLocation } from '../contracts/password-reset-workflow';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordPolicy, PersonalData } from '../crypto/password-policy';
import type { ResetTokens } from '../crypto/reset-token';
import type { PasswordCredential, PasswordRepository } from '../repositories/password-repository';
import type { PasswordResetRepository } from '../repositories/password-reset-repository';
import type { User, UserRepository } from '../repositories/user-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { LockOut } from './lock-out';
import type { Notices } from './notices';
import type { ProvePassword } from './password-proof';
import type { CancelRecovery } from './recovery-cancel';

interface Dependencies {
  readonly policy: PasswordPolicy;
  readonly hasher: Pick<PasswordHasher, 'hash'>;
  readonly blindIndex: BlindIndex;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly passwords: Pick<PasswordRepository, 'find' | 'change'>;
  readonly resets: Pick<PasswordResetRepository, 'findByToken'>;
  readonly resetTokens: Pick<ResetTokens, 'hash'>;
  readonly lockOut: Pick<LockOut, 'keysToUnlock'>;
  readonly starter: Pick<WorkflowStarter, 'requestPasswordReset' | 'resetPassword'>;
  readonly notices: Pick<Notices, 'tell'>;
  readonly cancelRecovery: CancelRecovery;
  readonly provePassword: ProvePassword;
  /** Key of workflow ids, so that they tell nothing. */
  readonly workflowIdKey: Buffer;
  /** Life of a link, milliseconds. */
  readonly resetExpiresInMs: number;
}

export interface Passwords {
  /** The same for every address: whether somebody has it is found by the workflow. @throws {AppError} `service_unavailable` */
  forgot(email: string): Promise<void>;
  /**
   * `repetitionId` (see `RouteRequest`) makes a repeated request the same attempt: after a lost answer it succeeds too.
   * @throws {AppError} `invalid_reset_token`, `validation_failed` (the new password), `overloaded`, `service_unavailable`
   */
  reset(request: ResetPasswordRequest, origin: RequestOrigin, repetitionId?: string): Promise<void>;
  /**
   * `repetitionId` likewise.
   * @throws {AppError} `invalid_credentials` (the current one), `login_delayed`, `validation_failed` (the new one), `overloaded`
   */
  change(caller: Caller, request: ChangePasswordRequest, origin: RequestOrigin, repetitionId?: string): Promise<void>;
}

/** A hash may be renewed, or the password changed, between the look at it and the change: then all is looked at again. */
const CHANGE_TRIES = 3;

const personOf = ({ email, phone, faydaId, firstName, lastName }: User): PersonalData => ({
  email,
  phone: phone ?? undefined,
  faydaId: faydaId ?? undefined,
  firstName: firstName ?? undefined,
  lastName: lastName ?? undefined,
});

export const createPasswords = (deps: Dependencies): Passwords => {
  const { policy, hasher, blindIndex, cipher, users, passwords, resets, resetTokens, starter } = deps;

  const checkPolicy = (newPassword: string, user: User, hasSecondFactor: boolean): Promise<void> =>
    policy.check(newPassword, { person: personOf(user), hasSecondFactor, path: '/newPassword' });

  /** Whoever resets the password has the mailbox: failures of others, by address and by phone number, hold them up no longer. */
  const keysToUnlock = ({ email, phone }: User, origin: RequestOrigin): string[] =>
    [blindIndex.of('email', email), ...(phone === null ? [] : [blindIndex.of('phone', phone)])].flatMap((index) =>
      deps.lockOut.keysToUnlock(index, origin),
    );

  /** Whether this very request has set the password, and its answer was lost. */
  const changedBefore = ({ changedAt, changedBy }: PasswordCredential, repetitionId: string | undefined): boolean =>
    repetitionId !== undefined &&
    changedBy === repetitionId &&
    changedAt.getTime() > Date.now() - IDEMPOTENCY_KEY_LIFE_MS;

  return {
    async forgot(email) {
      const emailIndex = Buffer.from(blindIndex.of('email', email));
      const id = createHmac('sha256', deps.workflowIdKey).update(emailIndex).digest('base64url');
      await starter.requestPasswordReset({
        workflowId: `password-reset/${id}`,
        input: { emailIndex: emailIndex.toString('hex'), expiresInMs: deps.resetExpiresInMs },
      });
    },

    async reset({ token, newPassword }, origin, repetitionId) {
      const find = () => resets.findByToken(resetTokens.hash(token), repetitionId);
      const shown = await find();
      if (shown === undefined) throw new AppError('invalid_reset_token');
      if (shown.isDone) return;
      const { resetId, issue, workflowId, userId } = shown;
      const [user, credential] = await Promise.all([users.findById(userId), passwords.find(userId)]);
      if (user === undefined) throw new AppError('invalid_reset_token');
      await checkPolicy(newPassword, user, credential?.hasSecondFactor ?? false);
      const hash = await hasher.hash(newPassword);
      const passwordHashCiphertext = await cipher.encrypt(hash, resetPasswordHashLocation(resetId, userId));
      const loginFailureKeys = keysToUnlock(user, origin);
      const password = { resetId, issue, passwordHashCiphertext, loginFailureKeys };
      const result = await starter.resetPassword(workflowId, password, repetitionId ?? randomUUID());
      // A recovery of the older password leads nowhere in any case; now it ends.
      if (result?.outcome === 'reset') {
        await deps.cancelRecovery(userId, 'password', origin);
        return;
      }
      // The workflow has closed: perhaps because of this very request, whose first delivery was still on its way.
      if ((await find())?.isDone !== true) throw new AppError('invalid_reset_token');
    },

    async change({ userId, sessionId }, { currentPassword, newPassword }, origin, repetitionId) {
      for (let tries = 0; tries < CHANGE_TRIES; tries += 1) {
        const [user, credential] = await Promise.all([users.findById(userId), passwords.find(userId)]);
        if (user === undefined || credential === undefined) throw new AppError('invalid_credentials');
        if (changedBefore(credential, repetitionId)) return;
        const { hash: from, hasSecondFactor } = credential;
        const failure = { action: 'password.change_failed', actor: { kind: 'user', id: userId } } as const;
        await deps.provePassword({ user, credential, password: currentPassword }, failure, origin);
        await checkPolicy(newPassword, user, hasSecondFactor);
        const [to, changeId] = [await hasher.hash(newPassword), uuidv7()];
        if (await passwords.change({ changeId, userId, sessionId, from, to, repetitionId, origin })) {
          deps.notices.tell({ name: 'password:changed', eventId: changeId, userId });
          await deps.cancelRecovery(userId, 'password', origin);
          return;
        }
      }
      throw new AppError('service_unavailable', { retryAfterSeconds: 1 });
    },
  };
};
