import { randomBytes } from 'node:crypto';

import { PersonKeyError, type DataKeys, type PersonKeys } from '../../src/contracts/keys';

/** Data keys that no database keeps, the same for every purpose: the first id encrypts, all of them decrypt. */
export const staticDataKeys = (keys: Readonly<Record<string, Buffer>>): DataKeys => {
  const [[id, key] = ['none', randomBytes(32)]] = Object.entries(keys);
  return {
    active: () => Promise.resolve({ id, key }),
    find: (_purpose, wanted) => Promise.resolve(keys[wanted]),
  };
};

/** Secrets of persons that no database keeps. */
export const staticPersonKeys = () => {
  const secrets = new Map<string, Buffer | null>();
  const get = (id: string): Promise<Buffer> => {
    const known = secrets.get(id);
    if (known != null) return Promise.resolve(known);
    return Promise.reject(new PersonKeyError(secrets.has(id) ? 'erased' : 'unknown_person'));
  };
  return {
    find: get,
    ensure: (id) => {
      if (!secrets.has(id)) secrets.set(id, randomBytes(32));
      return get(id);
    },
    begin: () => Promise.resolve(undefined),
    adopt: () => Promise.resolve(),
    erase: (id) => void secrets.set(id, null),
  } satisfies PersonKeys & { erase: (id: string) => void };
};
