import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { PasskeyAssertion, PasskeyOptionsResponse } from '../contracts/passkey';
import type { TokensResponse } from '../contracts/session';
import type { PasskeyRepository } from '../repositories/passkey-repository';

import type { CancelRecovery } from './recovery-cancel';
import type { PasskeyProofs } from './passkey-proofs';
import type { Sessions } from './sessions';

interface Dependencies {
  readonly cancelRecovery: CancelRecovery;
  readonly proofs: PasskeyProofs;
  readonly passkeyRepository: Pick<PasskeyRepository, 'list'>;
  readonly sessions: Pick<Sessions, 'raise'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

export interface PasskeyStepUp {
  options(caller: Caller, origin: RequestOrigin): Promise<PasskeyOptionsResponse>;
  /** @throws {AppError} `invalid_passkey`, `invalid_token` where the session has ended meanwhile */
  verify(caller: Caller, request: PasskeyAssertion, origin: RequestOrigin): Promise<TokensResponse>;
}

/** Raises a session: its owner shows a passkey of theirs, before an act that needs it. There is nothing to guess, so nothing is delayed. */
export const createPasskeyStepUp = (deps: Dependencies): PasskeyStepUp => {
  const { proofs, passkeyRepository, sessions, recordAudit } = deps;

  return {
    async options({ userId, sessionId }, origin) {
      // Without one there is nothing to choose from; with an empty list the browser would offer those of others.
      const allowed = await passkeyRepository.list(userId);
      if (allowed.length === 0) throw new AppError('factor_not_found');
      const answer = await proofs.challenge({ sessionId }, allowed, origin);
      if (answer === undefined) throw new Error('A challenge of a step-up belongs to no login');
      return answer;
    },

    async verify(caller, { credential }, origin) {
      const { userId, sessionId } = caller;
      const taken = await proofs.take(credential, origin, sessionId);
      const outcome = taken && (await proofs.prove(taken.challenge, credential, userId, origin));
      if (outcome !== undefined && 'proof' in outcome) {
        await deps.cancelRecovery(caller.userId, 'second_factor', origin);
        return sessions.raise(caller, outcome.proof.method, origin);
      }
      const [actor, details] = [
        { kind: 'user', id: userId } as const,
        { code: 'invalid_passkey', factor: 'passkey', sessionId },
      ];
      const event = { action: 'session.step_up_failed', outcome: 'failure', actor, subjectId: userId } as const;
      await recordAudit({ ...event, origin, details });
      throw new AppError('invalid_passkey');
    },
  };
};
