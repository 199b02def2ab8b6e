import { createHmac, timingSafeEqual } from 'node:crypto';

import { VERIFICATION_CODE_DIGITS } from '../contracts/registration';

import { deriveKey } from './derive-key';

export interface VerificationCodes {
  /** The code of the `issue`-th mail (1, 2, …) of a registration: 6 decimal digits. */
  code(registrationId: string, issue: number): string;
  /** What is stored of a code. */
  hash(registrationId: string, code: string): Uint8Array<ArrayBuffer>;
  /** In constant time; `null` (a decoy, or used up) matches nothing and costs the same. */
  matches(storedHash: Uint8Array | null, registrationId: string, code: string): boolean;
}

/**
 * Verification codes derived by HMAC instead of drawn at random: the activity that mails a code can make it again after a
 * crash, so a repeated mail carries the same code, and no code ever stands in the database or in Temporal's history.
 */
export const createVerificationCodes = (rootKey: Buffer): VerificationCodes => {
  const codeKey = deriveKey(rootKey, 'verification-code');
  const hashKey = deriveKey(rootKey, 'verification-code-hash');
  const hash = (registrationId: string, code: string) =>
    Uint8Array.from(createHmac('sha256', hashKey).update(`${registrationId}\0${code}`).digest());

  return {
    code(registrationId, issue) {
      const digest = createHmac('sha256', codeKey)
        .update(`${registrationId}\0${String(issue)}`)
        .digest();
      // 64 bits modulo 10^6 is uniform to within 10^-13.
      const number = digest.readBigUInt64BE(0) % BigInt(10 ** VERIFICATION_CODE_DIGITS);
      return number.toString().padStart(VERIFICATION_CODE_DIGITS, '0');
    },
    hash,
    matches(storedHash, registrationId, code) {
      const given = hash(registrationId, code);
      return timingSafeEqual(storedHash ?? new Uint8Array(given.length), given) && storedHash !== null;
    },
  };
};
