import { ApplicationFailure } from '@temporalio/common';

import type { TokensConfig } from '../config/tokens.config';
import type { SigningKey } from '../crypto/signing-key';
import type { SigningKeyRepository } from '../repositories/signing-key-repository';

interface Dependencies {
  readonly signingKeys: Pick<SigningKeyRepository, 'ensurePending' | 'activate' | 'removeRetired'>;
  readonly generate: () => Promise<SigningKey>;
  readonly times: Pick<TokensConfig['signingKeys'], 'overlapMs' | 'retainMs'>;
}

/** The steps of a key rotation. Each may run twice without harm, and no key leaves the database. */
export const createSigningKeyActivities = ({ signingKeys, generate, times }: Dependencies) => ({
  /** @returns the key that is published now, and how long it has to be before it may sign, milliseconds */
  async publishSigningKey() {
    return { keyId: await signingKeys.ensurePending(generate), publishForMs: times.overlapMs };
  },

  /** @returns the keys that sign no more and still have to verify */
  async activateSigningKey({ keyId }: { keyId: string }) {
    const retired = await signingKeys.activate(keyId);
    if (retired === undefined)
      throw ApplicationFailure.nonRetryable('The key was removed meanwhile', 'signing_key_gone');
    return { retired };
  },

  /** @returns milliseconds that the key still has to stay; 0 when it is gone */
  async removeSigningKey({ keyId }: { keyId: string }) {
    return { remainingMs: await signingKeys.removeRetired(keyId, times.retainMs) };
  },
});
export type SigningKeyActivities = ReturnType<typeof createSigningKeyActivities>;
