import type { ProvableFactor } from '../contracts/mfa';
import type { RecoveryCodes } from '../crypto/recovery-code';
import type { Totp } from '../crypto/totp';
import type { FactorRepository } from '../repositories/factor-repository';

interface Dependencies {
  readonly factors: Pick<FactorRepository, 'findTotp' | 'useTimeStep' | 'useRecoveryCode'>;
  readonly totp: Pick<Totp, 'match'>;
  readonly recoveryCodes: Pick<RecoveryCodes, 'hash'>;
}

export interface SecondFactors {
  /** Whether the code is right, which uses it up. Whoever asks bounds the tries. */
  prove(userId: string, factor: ProvableFactor, code: string): Promise<boolean>;
}

export const createSecondFactors = ({ factors, totp, recoveryCodes }: Dependencies): SecondFactors => {
  const proveTotp = async (userId: string, code: string): Promise<boolean> => {
    const found = await factors.findTotp(userId);
    if (found === undefined) return false;
    // Authenticator apps show the code in groups.
    const step = totp.match(found.secret, code.replaceAll(/[ -]/g, ''));
    return step !== undefined && factors.useTimeStep(found.id, step);
  };

  const proveRecoveryCode = async (userId: string, code: string): Promise<boolean> => {
    const hash = recoveryCodes.hash(userId, code);
    return hash !== undefined && factors.useRecoveryCode(userId, hash);
  };

  return {
    prove: (userId, factor, code) => (factor === 'totp' ? proveTotp(userId, code) : proveRecoveryCode(userId, code)),
  };
};
