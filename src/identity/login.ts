import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { LoginRequest, TokensResponse } from '../contracts/session';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { RegistrationRepository } from '../repositories/registration-repository';
import type { UserRepository } from '../repositories/user-repository';

import type { Sessions } from './sessions';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findForLogin'>;
  readonly registrations: Pick<RegistrationRepository, 'findOpenPasswordHashes'>;
  readonly hasher: PasswordHasher;
  readonly blindIndex: BlindIndex;
  readonly sessions: Pick<Sessions, 'open'>;
}

/**
 * A password login. Whatever is wrong, one hash is computed and the answer is `invalid_credentials`; what is true of the
 * account (unverified, locked) is only told to whoever knows its password.
 *
 * @throws {AppError} `invalid_credentials`, `verification_required`, `account_locked`, `overloaded`
 */
export const createLogin = ({ users, registrations, hasher, blindIndex, sessions }: Dependencies) => {
  /** Nobody's account: the password may still be that of an open registration. Costs what a wrong password costs. */
  const refuseUnknown = async (request: LoginRequest): Promise<never> => {
    const identifierIndex =
      'email' in request ? blindIndex.of('email', request.email) : blindIndex.of('phone', request.phone);
    const [hash, open] = await Promise.all([
      hasher.hashForRegistration(request.password, identifierIndex),
      'email' in request ? registrations.findOpenPasswordHashes(identifierIndex) : [],
    ]);
    throw new AppError(
      open.some((other) => hasher.isSame(other, hash)) ? 'verification_required' : 'invalid_credentials',
    );
  };

  return async (request: LoginRequest): Promise<TokensResponse> => {
    const account = await users.findForLogin('email' in request ? { email: request.email } : { phone: request.phone });
    if (account === undefined) return refuseUnknown(request);
    if (!(await hasher.verify(account.passwordHash, request.password))) throw new AppError('invalid_credentials');
    if (account.status !== 'ACTIVE')
      throw new AppError(account.status === 'LOCKED' ? 'account_locked' : 'invalid_credentials');
    return sessions.open(account.userId, ['pwd']);
  };
};
export type Login = ReturnType<typeof createLogin>;
