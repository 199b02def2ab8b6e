import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { BlindIndex } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import { isSentFactor, type StepUpRequest } from '../contracts/mfa';
import type { TokensResponse } from '../contracts/session';
import type { UserRepository } from '../repositories/user-repository';

import { stepUpBinding } from './factor-codes';
import type { CancelRecovery } from './recovery-cancel';
import type { LockOut } from './lock-out';
import type { SecondFactors } from './second-factors';
import type { Sessions } from './sessions';

interface Dependencies {
  readonly users: Pick<UserRepository, 'findById'>;
  readonly secondFactors: SecondFactors;
  readonly sessions: Pick<Sessions, 'raise'>;
  readonly lockOut: Pick<LockOut, 'begin'>;
  readonly cancelRecovery: CancelRecovery;
  readonly blindIndex: BlindIndex;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

/** @throws {AppError} `invalid_code`, `login_delayed`; failures count and are delayed as those of a login */
export type StepUp = (caller: Caller, request: StepUpRequest, origin: RequestOrigin) => Promise<TokensResponse>;

/** Raises a session: its owner shows a second factor again, before an act that needs it. */
export const createStepUp = (deps: Dependencies): StepUp => {
  const { users, secondFactors, sessions, lockOut, blindIndex, recordAudit } = deps;
  return async (caller, { factor, code }, origin) => {
    const { userId, sessionId } = caller;
    const user = await users.findById(userId);
    if (user === undefined) throw new AppError('invalid_token');
    const attempt = await lockOut.begin({ field: 'email', index: blindIndex.of('email', user.email) }, origin);
    const boundTo = stepUpBinding(caller);
    const method = await secondFactors.prove({ userId, factor, code, purpose: 'STEP_UP', boundTo });
    if (method === undefined) {
      await attempt.failed();
      const [actor, details] = [{ kind: 'user', id: userId } as const, { code: 'invalid_code', factor, sessionId }];
      const event = { action: 'session.step_up_failed', outcome: 'failure', actor, subjectId: userId } as const;
      await recordAudit({ ...event, origin, details });
      throw new AppError('invalid_code');
    }
    await deps.cancelRecovery(userId, 'second_factor', origin);
    const answer = await sessions.raise(caller, method, origin, !isSentFactor(factor));
    await attempt.succeeded();
    return answer;
  };
};
