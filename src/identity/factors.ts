import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { FactorsResponse } from '../contracts/mfa';
import type { RecoveryCodes } from '../crypto/recovery-code';
import type { FactorRepository } from '../repositories/factor-repository';

import type { MfaPolicy } from './mfa-policy';
import type { Notices } from './notices';

interface Dependencies {
  readonly factors: Pick<FactorRepository, 'list' | 'remove' | 'renewRecoveryCodes'>;
  readonly recoveryCodes: Pick<RecoveryCodes, 'codes'>;
  readonly notices: Pick<Notices, 'tell'>;
  readonly policy: Pick<MfaPolicy, 'requiredRoles'>;
}

export interface Factors {
  list(caller: Caller): Promise<FactorsResponse>;
  /** The owner is told. @throws {AppError} `factor_not_found`, `factor_required` */
  remove(caller: Caller, factorId: string, origin: RequestOrigin): Promise<void>;
  /** Ten new recovery codes; the older ones stop working. @throws {AppError} `factor_not_found` without a second factor */
  renewRecoveryCodes(caller: Caller, origin: RequestOrigin): Promise<string[]>;
}

export const createFactors = ({ factors, recoveryCodes, notices, policy }: Dependencies): Factors => {
  return {
    async list({ userId }) {
      const { factors: found, recoveryCodesLeft } = await factors.list(userId);
      return {
        factors: found.map(({ confirmedAt, lastUsedAt, ...factor }) => ({
          ...factor,
          confirmedAt: confirmedAt.toISOString(),
          ...(lastUsedAt !== undefined && { lastUsedAt: lastUsedAt?.toISOString() ?? null }),
        })),
        recoveryCodesLeft,
      };
    },

    async remove({ userId }, factorId, origin) {
      const outcome = await factors.remove({ userId, factorId, requiredRoles: policy.requiredRoles() }, origin);
      if (outcome !== 'removed') throw new AppError(outcome === 'required' ? 'factor_required' : 'factor_not_found');
      notices.tell({ name: 'mfa:disabled', eventId: factorId, userId });
    },

    async renewRecoveryCodes({ userId }, origin) {
      const setId = uuidv7();
      if (!(await factors.renewRecoveryCodes(userId, setId, origin))) throw new AppError('factor_not_found');
      return recoveryCodes.codes(setId);
    },
  };
};
