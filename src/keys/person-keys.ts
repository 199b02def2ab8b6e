import { randomBytes } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import { PersonKeyError, type PersonKeys } from '../contracts/keys';
import type { PersonKeyRepository } from '../repositories/person-key-repository';

const SECRET_BYTES = 32;
/** Some 4 MiB. */
const CACHED = 20_000;
/** A process forgets the secret of an erased person within this time. */
const CACHE_MS = 30_000;

/** The secrets of persons, as one process knows them. */
export const createPersonKeys = (store: PersonKeyRepository): PersonKeys => {
  const cache = new LRUCache<string, Buffer>({ max: CACHED, ttl: CACHE_MS });

  const keep = (personId: string, found: { readonly secret: Buffer | null } | undefined): Buffer => {
    if (found === undefined) throw new PersonKeyError('unknown_person');
    if (found.secret === null) throw new PersonKeyError('erased');
    cache.set(personId, found.secret);
    return found.secret;
  };

  return {
    find: async (personId) => cache.get(personId) ?? keep(personId, await store.find(personId)),
    ensure: async (personId) =>
      cache.get(personId) ?? keep(personId, await store.ensure(personId, randomBytes(SECRET_BYTES))),
    async begin(personId) {
      const secret = randomBytes(SECRET_BYTES);
      const isStored = await store.tryToAdd(personId, secret);
      cache.set(personId, secret);
      return isStored ? undefined : secret;
    },
    async adopt(personId, secret) {
      await store.ensure(personId, secret);
    },
  };
};
