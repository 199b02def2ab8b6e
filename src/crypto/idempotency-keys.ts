import { createHmac } from 'node:crypto';

import type { IdempotentRequest } from '../contracts/idempotency';

import { open, seal } from './aead';
import { deriveKey } from './derive-key';

/** What a key is good for: one caller and one route. */
export interface IdempotencyScope {
  /** Undefined for whoever is not logged in. */
  readonly userId: string | undefined;
  readonly method: string;
  /** The pattern of the route, such as `/v1/auth/register/:registrationId/verify`. */
  readonly path: string;
  readonly params: unknown;
}

export interface IdempotencyKeys {
  /** @param content all that may differ between two requests of one scope: query and body */
  of(scope: IdempotencyScope, key: string, content: object): IdempotentRequest;
}

/** JSON with the keys of every object in order, so that equal values are equal texts (as RFC 8785 has it). */
const canonical = (value: object): string => {
  const sorted = (_key: string, part: unknown): unknown =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part;
  return JSON.stringify(value, sorted);
};

/**
 * The client's key stands nowhere, and whatever is kept of a request needs it: the fingerprint of a body with a password is
 * an HMAC under a secret that the client's key completes, so neither a copy of the database nor the service's own keys
 * suffice to try passwords; the same secret seals the answer, so they do not suffice to read its tokens either.
 */
export const createIdempotencyKeys = (rootKey: Buffer): IdempotencyKeys => {
  const idKey = deriveKey(rootKey, 'idempotency-id');
  const secretKey = deriveKey(rootKey, 'idempotency-secret');

  return {
    of({ userId, method, path, params }, key, content) {
      const scoped = canonical([userId ?? null, method, path, params ?? null, key]);
      const secret = createHmac('sha256', secretKey).update(scoped).digest();
      const part = (purpose: string) => createHmac('sha256', secret).update(`${purpose}\n`);
      const text = canonical(content);
      const id = createHmac('sha256', idKey).update(scoped).digest();
      const place = id.toString('hex');
      // Lazily: most requests seal, few open, and those that are refused do neither.
      const answerKey = () => part('answer').digest();
      return {
        id: new Uint8Array(id),
        fingerprint: new Uint8Array(part('fingerprint').update(text).digest()),
        repetitionId: part('repetition').update(text).digest('base64url'),
        seal: (answer) => seal(answerKey(), Buffer.from(answer, 'utf8'), place).toString('base64url'),
        open: (sealed) => open(answerKey(), Buffer.from(sealed, 'base64url'), place).toString('utf8'),
      };
    },
  };
};
