import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { LoginRequest, TokensResponse } from '../contracts/session';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { RegistrationRepository } from '../repositories/registration-repository';
import type { LoginAccount, UserRepository } from '../repositories/user-repository';

import type { LockOut } from './lock-out';
import type { Sessions } from './sessions';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findForLogin'>;
  readonly registrations: Pick<RegistrationRepository, 'findOpenPasswordHashes'>;
  readonly hasher: PasswordHasher;
  readonly blindIndex: BlindIndex;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  readonly lockOut: Pick<LockOut, 'begin'>;
}

type Refusal = 'invalid_credentials' | 'verification_required' | 'account_locked';

/**
 * A password login. Whatever is wrong, one hash is computed and the answer is `invalid_credentials`; what is true of the
 * account (unverified, locked) is only told to whoever knows its password. Every failure is recorded, that of an unknown
 * account as well: else the time would tell the known ones.
 * After too many failures the password is not even
 * looked at for a while, whether or not there is an account.
 *
 * @throws {AppError} `invalid_credentials`, `verification_required`, `account_locked`, `login_delayed`, `overloaded`
 */
export const createLogin = (dependencies: Dependencies) => {
  const { users, registrations, hasher, blindIndex, sessions, recordAudit, lockOut } = dependencies;
  const indexOf = (request: LoginRequest) =>
    'email' in request ? blindIndex.of('email', request.email) : blindIndex.of('phone', request.phone);

  const refuse = async (code: Refusal, subjectId: string | undefined, origin: RequestOrigin): Promise<never> => {
    const [actor, details] = [{ kind: 'anonymous' } as const, { code }];
    await recordAudit({ action: 'login.failed', outcome: 'failure', actor, subjectId, origin, details });
    throw new AppError(code);
  };

  /** Nobody's account: the password may still be that of an open registration. Costs what a wrong password costs. */
  const refuseUnknown = async (request: LoginRequest, origin: RequestOrigin): Promise<never> => {
    const identifierIndex = indexOf(request);
    const [hash, open] = await Promise.all([
      hasher.hashForRegistration(request.password, identifierIndex),
      'email' in request ? registrations.findOpenPasswordHashes(identifierIndex) : [],
    ]);
    const code = open.some((other) => hasher.isSame(other, hash)) ? 'verification_required' : 'invalid_credentials';
    return refuse(code, undefined, origin);
  };

  /** The account whose password it is. */
  const prove = async (request: LoginRequest, account: LoginAccount | undefined, origin: RequestOrigin) => {
    if (account === undefined) return refuseUnknown(request, origin);
    const { userId, passwordHash } = account;
    if (!(await hasher.verify(passwordHash, request.password))) return refuse('invalid_credentials', userId, origin);
    return account;
  };

  return async (request: LoginRequest, origin: RequestOrigin): Promise<TokensResponse> => {
    const attempt = lockOut.begin(indexOf(request), origin);
    const found = await users.findForLogin('email' in request ? { email: request.email } : { phone: request.phone });
    await attempt.check(found?.userId);
    let account;
    try {
      account = await prove(request, found, origin);
    } catch (error) {
      if (error instanceof AppError && error.code === 'invalid_credentials') await attempt.failed();
      throw error;
    }
    const { userId, status } = account;
    if (status !== 'ACTIVE')
      return refuse(status === 'LOCKED' ? 'account_locked' : 'invalid_credentials', userId, origin);
    await attempt.succeeded(userId);
    return sessions.open(userId, ['pwd'], origin);
  };
};
export type Login = ReturnType<typeof createLogin>;
