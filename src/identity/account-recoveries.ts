import { randomUUID } from 'node:crypto';

import { v7 as uuidv7 } from 'uuid';

import type { SecurityConfig } from '../config/security.config';
import type { CompleteRecoveryRequest, RecoveryResponse, RecoveryStatus } from '../contracts/account-recovery';
import { recoveryDeviceLocation, recoveryOriginLocation } from '../contracts/account-recovery-workflow';
import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { RecoveryTokens } from '../crypto/recovery-token';
import type { AccountRecoveryRepository, FoundRecovery } from '../repositories/account-recovery-repository';
import type { PasswordRepository } from '../repositories/password-repository';
import type { UserRepository } from '../repositories/user-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import { deviceOf } from './device';
import type { LoginChallenges } from './login-challenges';
import type { ProvePassword } from './password-proof';
import type { CancelRecovery } from './recovery-cancel';

interface Dependencies {
  readonly recoveries: AccountRecoveryRepository;
  readonly recoveryTokens: Pick<RecoveryTokens, 'hash'>;
  readonly challenges: Pick<LoginChallenges, 'find'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly passwords: Pick<PasswordRepository, 'find'>;
  readonly provePassword: ProvePassword;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly starter: Pick<WorkflowStarter, 'beginRecovery' | 'completeRecovery'>;
  readonly cancelRecovery: CancelRecovery;
  readonly config: SecurityConfig['recovery'];
}

export interface AccountRecoveries {
  /** Whoever knows the password, which the token of the login says, asks for a way back. One runs at a time: asking again gives that one.
   * @throws {AppError} `invalid_mfa_token`, `recovery_delayed`, `service_unavailable` */
  begin(mfaToken: string, origin: RequestOrigin): Promise<RecoveryResponse>;
  /** @throws {AppError} `recovery_not_found` */
  find(caller: Caller): Promise<RecoveryResponse>;
  /** @throws {AppError} `recovery_not_found` */
  cancel(caller: Caller, origin: RequestOrigin): Promise<void>;
  /** One that is cancelled already is no error. @throws {AppError} `invalid_recovery_token` */
  cancelByToken(token: string, origin: RequestOrigin): Promise<void>;
  /** @throws {AppError} `invalid_recovery_token`, `invalid_credentials`, `login_delayed`, `overloaded`, `service_unavailable` */
  complete(request: CompleteRecoveryRequest, origin: RequestOrigin, repetitionId?: string): Promise<void>;
}

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1_000));
const toResponse = ({ id, state, availableAt }: FoundRecovery): RecoveryResponse => ({
  recoveryId: id,
  status: state.toLowerCase() as RecoveryStatus,
  availableAt: availableAt.toISOString(),
});

export const createAccountRecoveries = (deps: Dependencies): AccountRecoveries => {
  const { recoveries, recoveryTokens, cipher, starter, cancelRecovery } = deps;
  const encryptOrigin = (recoveryId: string, userId: string, origin: RequestOrigin): Promise<string> =>
    cipher.encrypt(JSON.stringify(origin), recoveryOriginLocation(recoveryId, userId));

  /** When the password was set that was shown. @throws {AppError} `invalid_recovery_token`, and those of `ProvePassword` */
  const passwordChangedAtOf = async (userId: string, password: string, origin: RequestOrigin): Promise<number> => {
    const [user, credential] = await Promise.all([deps.users.findById(userId), deps.passwords.find(userId)]);
    if (user === undefined || credential === undefined) throw new AppError('invalid_recovery_token');
    const failure = { action: 'mfa.recovery_failed', actor: { kind: 'anonymous' } } as const;
    await deps.provePassword({ user, credential, password }, failure, origin);
    return credential.changedAt.getTime();
  };

  return {
    async begin(mfaToken, origin) {
      const { userId, passwordChangedAt } = await deps.challenges.find(mfaToken, origin);
      const recoveryId = uuidv7();
      const { userAgent, ip } = deviceOf(origin);
      const result = await starter.beginRecovery(
        { userId, ...deps.config },
        {
          recoveryId,
          passwordChangedAt: passwordChangedAt.getTime(),
          deviceCiphertext: await cipher.encrypt(
            JSON.stringify({ userAgent, ip }),
            recoveryDeviceLocation(recoveryId, userId),
          ),
          originCiphertext: await encryptOrigin(recoveryId, userId, origin),
        },
      );
      if (result.outcome === 'too_early')
        throw new AppError('recovery_delayed', { retryAfterSeconds: seconds(result.retryAfterMs) });
      if (result.outcome !== 'open') throw new AppError('invalid_mfa_token');
      return toResponse({ ...result, id: result.recoveryId, userId, availableAt: new Date(result.availableAt) });
    },

    async find({ userId }) {
      const found = await recoveries.findOpen(userId);
      if (found === undefined) throw new AppError('recovery_not_found');
      return toResponse(found);
    },

    async cancel({ userId }, origin) {
      if (!(await cancelRecovery(userId, 'session', origin))) throw new AppError('recovery_not_found');
    },

    async cancelByToken(token, origin) {
      const found = await recoveries.findByCancelToken(recoveryTokens.hash(token));
      if (found === undefined) throw new AppError('invalid_recovery_token');
      const isOpen = found.state === 'WAITING' || found.state === 'READY';
      if (isOpen && (await cancelRecovery(found.userId, 'link', origin))) return;
      const now = await recoveries.findByCancelToken(recoveryTokens.hash(token));
      if (now?.state !== 'CANCELLED') throw new AppError('invalid_recovery_token');
    },

    async complete({ token, password }, origin, repetitionId) {
      const find = () => recoveries.findByToken(recoveryTokens.hash(token), repetitionId);
      const shown = await find();
      if (shown === undefined) throw new AppError('invalid_recovery_token');
      if (shown.state === 'COMPLETED') return;
      const { id: recoveryId, userId } = shown;
      const passwordChangedAt = await passwordChangedAtOf(userId, password, origin);
      const attemptId = repetitionId ?? randomUUID();
      const originCiphertext = await encryptOrigin(recoveryId, userId, origin);
      const completion = { recoveryId, passwordChangedAt, attemptId, originCiphertext };
      const result = await starter.completeRecovery(userId, completion);
      if (result?.outcome === 'completed') return;
      // The workflow has closed: perhaps because of this very request, whose first delivery was still on its way.
      if ((await find())?.state !== 'COMPLETED') throw new AppError('invalid_recovery_token');
    },
  };
};
