import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { AppError } from '../contracts/errors';

import { createPasswordHasher } from './password-hasher';

const config = { memoryKib: 8_192, iterations: 1, parallelism: 1, concurrency: 1, queueLimit: 2 };
const hasher = createPasswordHasher(config, randomBytes(32));
const [alice, bob] = [randomBytes(32), randomBytes(32)];

describe('the password hasher', () => {
  it('makes Argon2id with the configured parameters and checks it', async () => {
    const hash = await hasher.hash('correct horse');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=8192,t=1,p=1\$/);
    expect(await hasher.verify(hash, 'correct horse')).toBe(true);
    expect(await hasher.verify(hash, 'correct horsf')).toBe(false);
    expect(await hasher.hash('correct horse')).not.toBe(hash);
  });

  it('hashes a registration the same again, and differently for another address or password', async () => {
    const hash = await hasher.hashForRegistration('correct horse', alice);
    expect(await hasher.hashForRegistration('correct horse', alice)).toBe(hash);
    expect(await hasher.hashForRegistration('correct horse', bob)).not.toBe(hash);
    expect(await hasher.hashForRegistration('correct horsf', alice)).not.toBe(hash);
    expect(await hasher.verify(hash, 'correct horse')).toBe(true);
  });

  it('answers `overloaded` instead of queueing without end', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash('correct horse')));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(10 - config.concurrency - config.queueLimit);
    for (const { reason } of refused) {
      expect(reason).toBeInstanceOf(AppError);
      expect(reason).toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 1 });
    }
    await expect(hasher.hash('correct horse')).resolves.toBeDefined();
  });

  it('renews a hash of other parameters or with the salt of its registration, and no other', async () => {
    const registered = await hasher.hashForRegistration('correct horse', alice);
    const renewed = (await hasher.renew(registered, 'correct horse', alice)) ?? '';
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=8192,t=1,p=1\$/);
    expect(renewed.split('$')[4]).not.toBe(registered.split('$')[4]);
    expect(await hasher.verify(renewed, 'correct horse')).toBe(true);
    expect(await hasher.renew(renewed, 'correct horse', alice)).toBeUndefined();
    // The salt of another address is random as far as this one is concerned.
    expect(await hasher.renew(registered, 'correct horse', bob)).toBeUndefined();
    const others = [{ iterations: 2 }, { memoryKib: 9_216 }, { parallelism: 2 }];
    for (const other of others) {
      const later = createPasswordHasher({ ...config, ...other }, randomBytes(32));
      expect(await later.renew(renewed, 'correct horse', alice)).toBeDefined();
    }
  });

  it('renews nothing while others wait for a hash', async () => {
    const registered = await hasher.hashForRegistration('correct horse', alice);
    const busy = hasher.hash('somebody else');
    expect(await hasher.renew(registered, 'correct horse', alice)).toBeUndefined();
    await busy;
  });
});
