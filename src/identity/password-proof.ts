import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { PasswordHasher } from '../crypto/password-hasher';
import type { PasswordCredential } from '../repositories/password-repository';
import type { User } from '../repositories/user-repository';

import type { LockOut } from './lock-out';

interface Dependencies {
  readonly hasher: Pick<PasswordHasher, 'verify'>;
  readonly blindIndex: BlindIndex;
  readonly lockOut: Pick<LockOut, 'begin'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

/** A password that is shown for an account that is known already. */
export interface ShownPassword {
  readonly user: Pick<User, 'id' | 'email'>;
  readonly credential: Pick<PasswordCredential, 'hash'>;
  readonly password: string;
}

/**
 * Proves the password before an act that is no login.
 *
 * @param failure what a wrong one is recorded as
 * @throws {AppError} `invalid_credentials`, `login_delayed`, `overloaded`; failures count and are delayed as those of a login
 */
export type ProvePassword = (
  shown: ShownPassword,
  failure: Pick<NewAuditEvent, 'action' | 'actor'>,
  origin: RequestOrigin,
) => Promise<void>;

export const createProvePassword = (deps: Dependencies): ProvePassword => {
  const { hasher, blindIndex, lockOut, recordAudit } = deps;
  return async ({ user, credential, password }, failure, origin) => {
    const attempt = await lockOut.begin({ field: 'email', index: blindIndex.of('email', user.email) }, origin);
    if (await hasher.verify(credential.hash, password)) return;
    await attempt.failed();
    const details = { code: 'invalid_credentials' };
    await recordAudit({ ...failure, outcome: 'failure', subjectId: user.id, origin, details });
    throw new AppError('invalid_credentials');
  };
};
