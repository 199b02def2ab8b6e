import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { ConfirmResponse } from '../contracts/mfa';
import { MAX_PASSKEYS, type PasskeyRegistration, type PasskeyRegistrationResponse } from '../contracts/passkey';
import type { Passkeys } from '../crypto/passkeys';
import type { PasskeyRepository } from '../repositories/passkey-repository';

import type { Enrollments } from './enrollments';

interface Dependencies {
  readonly enrollments: Pick<Enrollments, 'open' | 'confirm'>;
  readonly passkeys: Pick<Passkeys, 'creationOptions'>;
  readonly passkeyRepository: Pick<PasskeyRepository, 'list'>;
}

/** A passkey is enrolled as every second factor is; what it is proven by is the answer to a challenge. */
export interface PasskeyRegistrations {
  /** @throws {AppError} `too_many_passkeys`, and those of `Enrollments.open` */
  options(
    caller: Caller,
    request: { readonly label?: string | undefined },
    repetitionId?: string,
  ): Promise<PasskeyRegistrationResponse>;
  /** @throws {AppError} `invalid_passkey`, and those of `Enrollments.confirm` but `invalid_code` */
  verify(caller: Caller, request: PasskeyRegistration, repetitionId?: string): Promise<ConfirmResponse>;
}

export const createPasskeyRegistrations = (deps: Dependencies): PasskeyRegistrations => {
  const { enrollments, passkeys, passkeyRepository } = deps;
  return {
    async options(caller, { label }, repetitionId) {
      const existing = await passkeyRepository.list(caller.userId);
      if (existing.length >= MAX_PASSKEYS) throw new AppError('too_many_passkeys');
      const { enrollmentId, secret, user, expiresAt } = await enrollments.open(
        caller,
        { factor: 'passkey', label },
        repetitionId,
      );
      const timeoutMs = Math.max(1_000, expiresAt - Date.now());
      const who = { userId: caller.userId, userName: user.email };
      const publicKey = await passkeys.creationOptions({ ...who, challenge: secret, existing, timeoutMs });
      return { enrollmentId, publicKey, expiresAt: new Date(expiresAt).toISOString() };
    },

    async verify(caller, { enrollmentId, credential }, repetitionId) {
      try {
        return await enrollments.confirm(caller, enrollmentId, JSON.stringify(credential), repetitionId);
      } catch (error) {
        if (error instanceof AppError && error.code === 'invalid_code') throw new AppError('invalid_passkey');
        throw error;
      }
    },
  };
};
