import { createHash, createHmac } from 'node:crypto';

import { deriveKey } from './derive-key';

export interface ResetTokens {
  /** The token of the `issue`-th mail (1, 2, …) of a password reset: 256 bits, base64url. */
  token(resetId: string, issue: number): string;
  /** What is stored of a token. */
  hash(token: string): Uint8Array<ArrayBuffer>;
}

/**
 * Derived by HMAC instead of drawn at random, as verification codes are: the activity that mails a token can make it again
 * after a crash, and the token stands neither in the database nor in Temporal's history.
 */
export const createResetTokens = (rootKey: Buffer): ResetTokens => {
  const key = deriveKey(rootKey, 'password-reset-token');
  return {
    token: (resetId, issue) =>
      createHmac('sha256', key)
        .update(`${resetId}\0${String(issue)}`)
        .digest('base64url'),
    // A plain hash is enough for a secret of 256 bits.
    hash: (token) => Uint8Array.from(createHash('sha256').update(token).digest()),
  };
};
