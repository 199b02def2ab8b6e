import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { hash, verify } from '@node-rs/argon2';
import { bulkhead, BulkheadRejectedError } from 'cockatiel';

import type { SecurityConfig } from '../config/security.config';
import { AppError } from '../contracts/errors';

import { deriveKey } from './derive-key';

const SALT_BYTES = 16;
/** `Algorithm.Argon2id`: a `const enum`, which isolated modules cannot read. */
const ARGON2ID = 2;

export interface PasswordHasher {
  /** Argon2id in PHC format under a random salt. @throws {AppError} `overloaded` */
  hash(password: string): Promise<string>;
  /**
   * The same under a salt that belongs to the address: equal submissions have equal hashes, so that a repeated registration
   * is known as the same without the password being kept anywhere. @throws {AppError} `overloaded`
   */
  hashForRegistration(password: string, emailIndex: Uint8Array): Promise<string>;
  /** @throws {AppError} `overloaded` */
  verify(passwordHash: string, password: string): Promise<boolean>;
  /**
   * A hash of this password under the parameters of today and a random salt, where the stored one has others or still the
   * salt of its registration; undefined where it is as it should be. Also undefined while others wait for a hash: it is
   * done in passing, and the next login tries again.
   */
  renew(passwordHash: string, password: string, emailIndex: Uint8Array): Promise<string | undefined>;
  /** Whether two hashes made by `hashForRegistration` are of the same password, in constant time. */
  isSame(passwordHash: string, other: string): boolean;
}

/**
 * Argon2id (RFC 9106) in libuv's thread pool, so the event loop stays free. At most `concurrency` run at once and
 * `queueLimit` wait: past that the answer is `overloaded`, because a longer queue only makes everybody late.
 */
export const createPasswordHasher = (config: SecurityConfig['passwordHash'], rootKey: Buffer): PasswordHasher => {
  const saltKey = deriveKey(rootKey, 'registration-salt');
  const bounded = bulkhead(config.concurrency, config.queueLimit);
  const parameters = {
    algorithm: ARGON2ID,
    memoryCost: config.memoryKib,
    timeCost: config.iterations,
    parallelism: config.parallelism,
  };

  const registrationSalt = (emailIndex: Uint8Array): Buffer =>
    createHmac('sha256', saltKey).update(emailIndex).digest().subarray(0, SALT_BYTES);
  const hashAnew = (password: string) => hash(password, { ...parameters, salt: randomBytes(SALT_BYTES) });
  /** What a hash of today begins with (PHC string format). */
  const prefix = `$argon2id$v=19$m=${config.memoryKib},t=${config.iterations},p=${config.parallelism}$`;
  const isCurrent = (passwordHash: string, emailIndex: Uint8Array): boolean =>
    passwordHash.startsWith(prefix) &&
    passwordHash.slice(prefix.length).split('$')[0] !==
      registrationSalt(emailIndex).toString('base64').replace(/=+$/, '');

  const limited = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await bounded.execute(work);
    } catch (error) {
      if (error instanceof BulkheadRejectedError)
        throw new AppError('overloaded', { retryAfterSeconds: 1, cause: error });
      throw error;
    }
  };

  return {
    hash: (password) => limited(() => hashAnew(password)),
    hashForRegistration: (password, emailIndex) =>
      limited(() => hash(password, { ...parameters, salt: registrationSalt(emailIndex) })),
    renew: async (passwordHash, password, emailIndex) =>
      isCurrent(passwordHash, emailIndex) || bounded.executionSlots === 0
        ? undefined
        : limited(() => hashAnew(password)),
    verify: (passwordHash, password) => limited(() => verify(passwordHash, password)),
    isSame: (passwordHash, other) => {
      const [left, right] = [Buffer.from(passwordHash), Buffer.from(other)];
      return left.length === right.length && timingSafeEqual(left, right);
    },
  };
};
