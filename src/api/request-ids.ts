import { randomFillSync } from 'node:crypto';

import { v7 as uuidv7 } from 'uuid';

/** An id from outside is taken over only in this form: it goes into logs and headers. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/;
const UUID_BYTES = 16;
/** Ids whose randomness is fetched at once: a call for each costs more than all the rest of what is done with it. */
const BATCH = 256;

/** Makes ids of requests. @returns the id of a request: the caller's own where it is sane, else a new one */
export const createRequestIds = (): ((given: string | string[] | undefined) => string) => {
  const pool = Buffer.alloc(UUID_BYTES * BATCH);
  let offset = pool.length;
  const nextId = (): string => {
    if (offset === pool.length) {
      randomFillSync(pool);
      offset = 0;
    }
    const random = pool.subarray(offset, (offset += UUID_BYTES));
    return uuidv7({ random });
  };
  return (given) => (typeof given === 'string' && ACCEPTED.test(given) ? given : nextId());
};
