import { createHash, createHmac } from 'node:crypto';

import { deriveKey } from './derive-key';

/** The tokens of the mails of an account recovery, 256 bits each, base64url. One is good for nothing that the other is good for. */
export interface RecoveryTokens {
  /** Cancels it; the same in all of its mails. */
  cancelToken(recoveryId: string): string;
  /** Completes it, together with the password. */
  completionToken(recoveryId: string): string;
  /** What is stored of a token. */
  hash(token: string): Uint8Array<ArrayBuffer>;
}

/** Derived as the tokens of password resets are: they can be mailed again after a crash and stand nowhere. */
export const createRecoveryTokens = (rootKey: Buffer): RecoveryTokens => {
  const key = deriveKey(rootKey, 'account-recovery-token');
  const token = (purpose: string, id: string): string =>
    createHmac('sha256', key).update(`${purpose}\0${id}`).digest('base64url');
  return {
    cancelToken: (recoveryId) => token('cancel', recoveryId),
    completionToken: (recoveryId) => token('complete', recoveryId),
    hash: (text) => Uint8Array.from(createHash('sha256').update(text).digest()),
  };
};
