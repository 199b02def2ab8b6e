import type { Logger } from 'pino';

import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { LoginResponse } from '../contracts/mfa';
import type { LoginRequest, TokensResponse } from '../contracts/session';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordRepository } from '../repositories/password-repository';
import type { LoginAccount, LoginIdentifier } from '../repositories/login-repository';
import type { RegistrationRepository } from '../repositories/registration-repository';

import type { LockOut } from './lock-out';
import type { LoginChallenges } from './login-challenges';
import type { RememberedDevices } from './remembered-devices';
import type { Sessions } from './sessions';

interface Dependencies {
  readonly registrations: Pick<RegistrationRepository, 'findOpenPasswordHashes'>;
  readonly hasher: PasswordHasher;
  readonly blindIndex: BlindIndex;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly passwords: Pick<PasswordRepository, 'rehash'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly lockOut: Pick<LockOut, 'begin'>;
  readonly challenges: Pick<LoginChallenges, 'begin'>;
  readonly remembered: Pick<RememberedDevices, 'recognise'>;
}

type Refusal = 'invalid_credentials' | 'verification_required' | 'account_locked';

/**
 * A password login. Whatever is wrong, one hash is computed and the answer is `invalid_credentials`; what is true of the
 * account (unverified, locked) is only told to whoever knows its password. Every failure is recorded, that of an unknown
 * account as well: else the time would tell the known ones. After too many failures the password is not even looked at for
 * a while, whether or not there is an account. Where a second factor is on, the right password opens nothing yet, unless the
 * account remembers the device.
 *
 * @throws {AppError} `invalid_credentials`, `verification_required`, `account_locked`, `login_delayed`, `overloaded`
 */
export const createLogin = (deps: Dependencies) => {
  const {
    registrations,
    hasher,
    blindIndex,
    sessions,
    passwords,
    recordAudit,
    lockOut,
    challenges,
    remembered,
    logger,
  } = deps;
  const identifierOf = (request: LoginRequest): LoginIdentifier =>
    'email' in request
      ? { field: 'email', index: blindIndex.of('email', request.email) }
      : { field: 'phone', index: blindIndex.of('phone', request.phone) };

  const refuse = async (code: Refusal, subjectId: string | undefined, origin: RequestOrigin): Promise<never> => {
    const [actor, details] = [{ kind: 'anonymous' } as const, { code }];
    await recordAudit({ action: 'login.failed', outcome: 'failure', actor, subjectId, origin, details });
    throw new AppError(code);
  };

  /** Nobody's account: the password may still be that of an open registration. Costs what a wrong password costs. */
  const refuseUnknown = async (request: LoginRequest, origin: RequestOrigin): Promise<never> => {
    const { field, index } = identifierOf(request);
    const [hash, open] = await Promise.all([
      hasher.hashForRegistration(request.password, index),
      field === 'email' ? registrations.findOpenPasswordHashes(index) : [],
    ]);
    const code = open.some((other) => hasher.isSame(other, hash)) ? 'verification_required' : 'invalid_credentials';
    return refuse(code, undefined, origin);
  };

  /** A password that was changed while its hash was computed opens nothing. */
  const openSession = async (
    { userId, passwordChangedAt }: LoginAccount,
    origin: RequestOrigin,
  ): Promise<TokensResponse> => {
    try {
      return await sessions.open({ userId, amr: ['pwd'], passwordChangedAt }, origin);
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid_credentials') return refuse(error.code, userId, origin);
      throw error;
    }
  };

  /** Where the parameters of today or a random salt are still missing. */
  const renewHash = async ({ userId, passwordHash, emailIndex }: LoginAccount, password: string): Promise<void> => {
    const renewed = await hasher.renew(passwordHash, password, emailIndex);
    if (renewed !== undefined) await passwords.rehash(userId, passwordHash, renewed);
  };

  /** The account whose password it is. */
  const prove = async (request: LoginRequest, account: LoginAccount | undefined, origin: RequestOrigin) => {
    if (account === undefined) return refuseUnknown(request, origin);
    const { userId, passwordHash } = account;
    if (!(await hasher.verify(passwordHash, request.password))) return refuse('invalid_credentials', userId, origin);
    return account;
  };

  return async (request: LoginRequest, origin: RequestOrigin, deviceToken?: string): Promise<LoginResponse> => {
    const attempt = await lockOut.begin(identifierOf(request), origin);
    let account;
    try {
      account = await prove(request, attempt.account, origin);
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid_credentials') await attempt.failed();
      throw error;
    }
    const { userId, status } = account;
    if (status !== 'ACTIVE')
      return refuse(status === 'LOCKED' ? 'account_locked' : 'invalid_credentials', userId, origin);
    const isHalf = account.hasSecondFactor && !(await remembered.recognise(account, deviceToken, origin));
    const answer = isHalf ? await challenges.begin(account, origin) : await openSession(account, origin);
    // A login without its second factor clears no failures: else the right password would buy any number of guesses at it.
    if (!account.hasSecondFactor) await attempt.succeeded();
    // After the answer, so that nobody waits for it; a failure is made up for by the next login.
    renewHash(account, request.password).catch((error: unknown) => {
      logger.warn({ err: error, userId }, 'a password could not be hashed anew');
    });
    return answer;
  };
};
export type Login = ReturnType<typeof createLogin>;
