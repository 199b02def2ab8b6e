import { createHash, createHmac, randomBytes } from 'node:crypto';

import { deriveKey } from './derive-key';

export interface RefreshTokens {
  /** The first token of a family: 256 random bits, base64url. */
  first(): string;
  /** The one successor of a token; the same predecessor always has the same. */
  successor(token: string): string;
  /**
   * The successor of a token that was not shown, by what is stored of it: when a session is raised by a second factor. Whoever
   * shows the token meanwhile is given the same one.
   */
  raised(hash: Uint8Array): string;
  /** What is stored of a token. */
  hash(token: string): Uint8Array<ArrayBuffer>;
}

/**
 * A successor is HMAC-SHA-256 of its predecessor: whoever lost the answer of a refresh can be given the same token again
 * without it ever being stored, and a family cannot fork.
 */
export const createRefreshTokens = (rootKey: Buffer): RefreshTokens => {
  const key = deriveKey(rootKey, 'refresh-token');
  return {
    first: () => randomBytes(32).toString('base64url'),
    successor: (token) => createHmac('sha256', key).update(token).digest('base64url'),
    raised: (hash) => createHmac('sha256', key).update('raised\0').update(hash).digest('base64url'),
    // A plain hash is enough for a secret of 256 bits.
    hash: (token) => Uint8Array.from(createHash('sha256').update(token).digest()),
  };
};
