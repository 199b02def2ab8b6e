import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import { AppError } from '../contracts/errors';
import type { PasskeyAssertion, PasskeyLoginRequest, PasskeyOptionsResponse } from '../contracts/passkey';
import type { TokensResponse } from '../contracts/session';
import type { PasskeyRepository } from '../repositories/passkey-repository';

import type { CancelRecovery } from './recovery-cancel';
import type { LockOut } from './lock-out';
import type { LoginChallenges } from './login-challenges';
import type { PasskeyProofs, Taken } from './passkey-proofs';
import type { Sessions } from './sessions';

interface Dependencies {
  readonly cancelRecovery: CancelRecovery;
  readonly proofs: PasskeyProofs;
  readonly passkeyRepository: Pick<PasskeyRepository, 'list'>;
  readonly challenges: Pick<LoginChallenges, 'find' | 'completeBy'>;
  readonly sessions: Pick<Sessions, 'open'>;
  readonly lockOut: Pick<LockOut, 'remember'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

export interface PasskeyLogins {
  /**
   * A challenge: for whoever has a passkey or, by the token of a login whose password was right, for the passkeys of its account.
   * @throws {AppError} `invalid_mfa_token`
   */
  options(request: PasskeyLoginRequest, origin: RequestOrigin): Promise<PasskeyOptionsResponse>;
  /**
   * Opens a session of two factors. Whatever is wrong, the answer is `invalid_credentials`.
   * @throws {AppError} `invalid_credentials`, as the second half of a login also `invalid_mfa_token`, `login_delayed`
   */
  verify(request: PasskeyAssertion, origin: RequestOrigin): Promise<TokensResponse>;
}

/**
 * Logins with a passkey, without a password or after it. One without it is not delayed by failures: there is nothing to guess, so its
 * owner gets in while somebody else tries passwords (docs/lock-out.md).
 */
export const createPasskeyLogins = (deps: Dependencies): PasskeyLogins => {
  const { proofs, passkeyRepository, challenges, sessions, lockOut, recordAudit } = deps;

  const refuse = async (subjectId: string | undefined, origin: RequestOrigin): Promise<never> => {
    const [actor, details] = [{ kind: 'anonymous' } as const, { code: 'invalid_credentials', factor: 'passkey' }];
    await recordAudit({ action: 'login.failed', outcome: 'failure', actor, subjectId, origin, details });
    throw new AppError('invalid_credentials');
  };

  const withoutPassword = async ({ challenge }: Taken, { credential }: PasskeyAssertion, origin: RequestOrigin) => {
    const outcome = await proofs.prove(challenge, credential, undefined, origin);
    if (!('proof' in outcome)) return refuse(outcome.subjectId, origin);
    const { userId, method } = outcome.proof;
    await deps.cancelRecovery(userId, 'second_factor', origin);
    const answer = await sessions.open({ userId, amr: [method, 'user', 'mfa'] }, origin);
    await lockOut.remember(userId, origin);
    return answer;
  };

  const afterPassword = (
    tokenHash: Uint8Array<ArrayBuffer>,
    { challenge }: Taken,
    { credential }: PasskeyAssertion,
    origin: RequestOrigin,
  ) =>
    challenges.completeBy(
      {
        ...{ tokenHash, factor: 'passkey', refusal: 'invalid_credentials' },
        async prove(userId) {
          const outcome = await proofs.prove(challenge, credential, userId, origin);
          return 'proof' in outcome ? [outcome.proof.method, 'user'] : undefined;
        },
      },
      origin,
    );

  return {
    async options({ mfaToken }, origin) {
      const login = mfaToken === undefined ? undefined : await challenges.find(mfaToken, origin);
      const allowed = login === undefined ? [] : await passkeyRepository.list(login.userId);
      const answer = await proofs.challenge({ loginTokenHash: login?.tokenHash }, allowed, origin);
      // The login was completed between the two looks.
      if (answer === undefined) throw new AppError('invalid_mfa_token');
      return answer;
    },

    async verify(request, origin) {
      const taken = await proofs.take(request.credential, origin);
      if (taken === undefined) return refuse(undefined, origin);
      const { loginTokenHash } = taken;
      return loginTokenHash === undefined
        ? withoutPassword(taken, request, origin)
        : afterPassword(loginTokenHash, taken, request, origin);
    },
  };
};
