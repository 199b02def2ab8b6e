import type { ProvableFactor } from '../contracts/mfa';
import type { RecoveryCodes } from '../crypto/recovery-code';
import type { Totp } from '../crypto/totp';
import type { FactorCodeRepository, FactorCodeUse } from '../repositories/factor-code-repository';
import type { FactorRepository } from '../repositories/factor-repository';

import type { Notices } from './notices';

interface Dependencies {
  readonly factors: Pick<FactorRepository, 'findTotp' | 'useTimeStep' | 'useRecoveryCode'>;
  readonly factorCodes: Pick<FactorCodeRepository, 'tryCode'>;
  readonly totp: Pick<Totp, 'match'>;
  readonly recoveryCodes: Pick<RecoveryCodes, 'hash'>;
  readonly notices: Pick<Notices, 'tell'>;
}

/** How a second factor was shown (RFC 8176): by a one-time code, or by one that came as an SMS. */
export type SecondFactorMethod = 'otp' | 'sms';
/** A second factor that is shown, and for what. */
export interface Shown {
  readonly userId: string;
  readonly factor: ProvableFactor;
  readonly code: string;
  readonly purpose: 'LOGIN' | 'STEP_UP';
  /** The login or session that a code must have been sent for. */
  readonly boundTo: Uint8Array<ArrayBuffer>;
}

export interface SecondFactors {
  /** How it was proven, which uses the code up, and tells the owner of a recovery code; undefined where it is wrong. Whoever asks bounds the tries. */
  prove(shown: Shown): Promise<SecondFactorMethod | undefined>;
}

export const createSecondFactors = (deps: Dependencies): SecondFactors => {
  const { factors, factorCodes, totp, recoveryCodes, notices } = deps;

  const proveTotp = async ({ userId, code }: Shown): Promise<boolean> => {
    const found = await factors.findTotp(userId);
    if (found === undefined) return false;
    const step = totp.match(found.secret, code);
    return step !== undefined && factors.useTimeStep(found.id, step);
  };

  const proveRecoveryCode = async ({ userId, code }: Shown): Promise<boolean> => {
    const hash = recoveryCodes.hash(userId, code);
    const eventId = hash && (await factors.useRecoveryCode(userId, hash));
    if (eventId === undefined) return false;
    notices.tell({ name: 'mfa:recovery-code-used', eventId, userId });
    return true;
  };

  const proveSent = (factor: FactorCodeUse['factor'], { userId, code, purpose, boundTo }: Shown): Promise<boolean> =>
    factorCodes.tryCode({ userId, factor, purpose, boundTo }, code);

  return {
    async prove(shown) {
      const { factor } = shown;
      // Apps and people show six digits in groups.
      const digits = { ...shown, code: shown.code.replaceAll(/[ -]/g, '') };
      switch (factor) {
        case 'totp':
          return (await proveTotp(digits)) ? 'otp' : undefined;
        case 'email_otp':
          return (await proveSent(factor, digits)) ? 'otp' : undefined;
        case 'sms_otp':
          return (await proveSent(factor, digits)) ? 'sms' : undefined;
        case 'recovery_code':
          return (await proveRecoveryCode(shown)) ? 'otp' : undefined;
      }
    },
  };
};
