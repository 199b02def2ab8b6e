import { createHmac } from 'node:crypto';

import { deriveKey } from './derive-key';

export const RECOVERY_CODES = 10;
/** 80 bits: five for each letter. NIST SP 800-63B-4 asks for 64. */
const LETTERS = 16;
const GROUPS = /.{4}/g;
/** Crockford's base32: no letter that is taken for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const READ_AS: Readonly<Record<string, string>> = { I: '1', L: '1', O: '0' };

export interface RecoveryCodes {
  /** The ten codes of a set, such as `7Q2M-0V9X-KD4T-HE8P`. */
  codes(setId: string): string[];
  /** What is stored of a code; undefined for what can be none. Spelling, blanks and hyphens do not matter. */
  hash(userId: string, code: string): Uint8Array<ArrayBuffer> | undefined;
}

/** As it was made, whatever was typed. */
const canonical = (code: string): string | undefined => {
  const letters = [...code.toUpperCase().replaceAll(/[ -]/g, '')].map((letter) => READ_AS[letter] ?? letter);
  return letters.length === LETTERS && letters.every((letter) => ALPHABET.includes(letter))
    ? letters.join('')
    : undefined;
};

/**
 * Recovery codes, derived by HMAC from the id of their set as verification codes are: a repeated confirmation whose answer
 * was lost shows the same codes, and none ever stands in the database or in Temporal. They have their full entropy, so a
 * keyed hash is enough to store them.
 */
export const createRecoveryCodes = (rootKey: Buffer): RecoveryCodes => {
  const codeKey = deriveKey(rootKey, 'recovery-code');
  const hashKey = deriveKey(rootKey, 'recovery-code-hash');

  const codeOf = (setId: string, index: number): string => {
    const digest = createHmac('sha256', codeKey)
      .update(`${setId}\0${String(index)}`)
      .digest();
    // Each of 32 letters by the low five bits of a byte of its own.
    const letters = Array.from(digest.subarray(0, LETTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
    return (letters.match(GROUPS) ?? []).join('-');
  };

  return {
    codes: (setId) => Array.from({ length: RECOVERY_CODES }, (_, index) => codeOf(setId, index)),
    hash(userId, code) {
      const typed = canonical(code);
      return typed === undefined
        ? undefined
        : Uint8Array.from(createHmac('sha256', hashKey).update(`${userId}\0${typed}`).digest());
    },
  };
};
