import { createHmac } from 'node:crypto';

import type { RequestOrigin } from '../contracts/audit';
import type { BlindIndex, FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import { DEFAULT_LOCALE, type Locale } from '../contracts/locale';
import type { RegisterRequest, RegistrationState } from '../contracts/registration';
import { passwordHashLocation, registrationExpiry } from '../contracts/registration-workflow';
import type { TokensResponse, UserResponse } from '../contracts/session';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordPolicy } from '../crypto/password-policy';
import type { RegistrationRepository } from '../repositories/registration-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { RegistrationRun, WorkflowStarter } from '../temporal/workflow-starter';

import type { Sessions } from './sessions';
import { toUserResponse } from './users';

interface Dependencies {
  readonly policy: PasswordPolicy;
  readonly hasher: Pick<PasswordHasher, 'hashForRegistration'>;
  readonly blindIndex: BlindIndex;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly starter: WorkflowStarter;
  readonly registrations: Pick<RegistrationRepository, 'find'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly sessions: Pick<Sessions, 'open'>;
  /** Key of workflow ids, so that they tell nothing. */
  readonly workflowIdKey: Buffer;
  readonly expiresInMs: number;
}

export interface Registrations {
  /** @throws {AppError} `validation_failed` (password), `overloaded`, `service_unavailable` */
  register(request: RegisterRequest, preferredLocale: Locale | undefined): Promise<RegistrationState>;
  /** @throws {AppError} `registration_not_found` */
  state(registrationId: string): Promise<RegistrationState>;
  /** @throws {AppError} `invalid_code`, `too_many_attempts`, `registration_completed`, `registration_expired`, `registration_not_found` */
  verify(registrationId: string, code: string, origin: RequestOrigin): Promise<TokensResponse & { user: UserResponse }>;
  /** @throws {AppError} `resend_too_soon`, `resend_limit_reached`, `registration_completed`, `registration_expired`, `registration_not_found` */
  resend(registrationId: string): Promise<RegistrationState>;
}

const CLOSED = { COMPLETED: 'registration_completed', EXPIRED: 'registration_expired' } as const;

export const createRegistrations = (deps: Dependencies): Registrations => {
  const { policy, hasher, blindIndex, cipher, starter, registrations, users, sessions, workflowIdKey, expiresInMs } =
    deps;

  /**
   * One workflow for each submission, so that the same one sent twice (a lost answer, a double click) is one registration,
   * while somebody else's with the same address is another: whoever proves the address gets the account with the password of
   * the registration whose code they entered, never with one that a stranger chose before them.
   */
  const workflowIdOf = (submission: object): string =>
    `registration/${createHmac('sha256', workflowIdKey).update(JSON.stringify(submission)).digest('base64url')}`;

  const pending = (registrationId: string, expiresAt: Date): RegistrationState => ({
    registrationId,
    status: 'verification_pending',
    expiresAt: expiresAt.toISOString(),
  });

  /** The stored registration; undefined while it is accepted but no worker has stored it yet. */
  const find = async (registrationId: string) => {
    const registration = await registrations.find(registrationId);
    if (registration !== undefined) return registration;
    // An id whose time is past or far ahead was never ours, or is long gone: no need to ask Temporal.
    const age = Date.now() + expiresInMs - registrationExpiry(registrationId, expiresInMs).getTime();
    const plausible = age > -60_000 && age < expiresInMs;
    if (!plausible || !(await starter.isRegistrationOpen(registrationId))) throw new AppError('registration_not_found');
    return undefined;
  };

  /** The run of a registration that can still be verified. @throws {AppError} `whileUnstored` until a worker has stored it */
  const findOpenRun = async (
    registrationId: string,
    whileUnstored: AppError,
  ): Promise<RegistrationRun & { expiresAt: Date }> => {
    const registration = await find(registrationId);
    if (registration === undefined) throw whileUnstored;
    const { status, workflowId, expiresAt } = registration;
    if (status !== 'VERIFICATION_PENDING') throw new AppError(CLOSED[status]);
    if (expiresAt <= new Date()) throw new AppError('registration_expired');
    return { registrationId, workflowId, expiresAt };
  };

  /** The workflow closed between the look into the database and the update. */
  const throwClosed = async (registrationId: string): Promise<never> => {
    const registration = await registrations.find(registrationId);
    throw new AppError(registration?.status === 'COMPLETED' ? 'registration_completed' : 'registration_expired');
  };

  return {
    async register({ password, consents = [], locale, ...person }, preferredLocale) {
      policy.check(password, person);
      const emailIndex = blindIndex.of('email', person.email);
      const passwordHash = await hasher.hashForRegistration(password, emailIndex);
      const profile = { ...person, locale: locale ?? preferredLocale ?? DEFAULT_LOCALE, consents };
      const workflowId = workflowIdOf({ ...profile, passwordHash });
      const passwordHashCiphertext = cipher.encrypt(passwordHash, passwordHashLocation(workflowId));
      const registrationId = await starter.startRegistration({
        workflowId,
        input: { submission: { ...profile, passwordHashCiphertext }, expiresInMs },
        emailIndex: Buffer.from(emailIndex).toString('hex'),
      });
      return pending(registrationId, registrationExpiry(registrationId, expiresInMs));
    },

    async state(registrationId) {
      const registration = await find(registrationId);
      if (registration === undefined) return pending(registrationId, registrationExpiry(registrationId, expiresInMs));
      const { status, expiresAt } = registration;
      const isExpired = status === 'EXPIRED' || (status === 'VERIFICATION_PENDING' && expiresAt <= new Date());
      if (isExpired) return { ...pending(registrationId, expiresAt), status: 'expired' };
      return {
        ...pending(registrationId, expiresAt),
        status: status === 'COMPLETED' ? 'completed' : 'verification_pending',
      };
    },

    async verify(registrationId, code, origin) {
      // Until it is stored no code was issued, so none can be right.
      const run = await findOpenRun(registrationId, new AppError('invalid_code'));
      const result = await starter.verifyRegistration(run, code);
      if (result === undefined) return throwClosed(registrationId);
      switch (result.outcome) {
        case 'activated': {
          const [user, tokens] = await Promise.all([
            users.findById(result.userId),
            sessions.open(result.userId, ['otp'], origin),
          ]);
          if (user === undefined) throw new AppError('registration_completed');
          return { ...tokens, user: toUserResponse(user) };
        }
        case 'already_completed':
          throw new AppError('registration_completed');
        case 'expired':
          throw new AppError('registration_expired');
        default:
          throw new AppError(result.outcome);
      }
    },

    async resend(registrationId) {
      // Until it is stored its first mail is still to come.
      const run = await findOpenRun(registrationId, new AppError('resend_too_soon', { retryAfterSeconds: 60 }));
      const result = await starter.resendRegistrationCode(run);
      if (result === undefined) return throwClosed(registrationId);
      switch (result.outcome) {
        case 'issued':
          return pending(registrationId, run.expiresAt);
        case 'too_soon':
          throw new AppError('resend_too_soon', { retryAfterSeconds: Math.ceil(result.retryAfterMs / 1_000) });
        case 'limit_reached':
          throw new AppError('resend_limit_reached');
        case 'already_completed':
          throw new AppError('registration_completed');
        case 'expired':
          throw new AppError('registration_expired');
      }
    },
  };
};
