import { randomFillSync } from 'node:crypto';

import { v7 as uuidv7 } from 'uuid';

import type { AppMiddleware } from '../context';

/** An id from outside is taken over only in this form: it goes into logs and headers. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/;
const UUID_BYTES = 16;
/** Ids whose randomness is fetched at once: a call for each costs more than all the rest of this middleware. */
const BATCH = 256;

const createIds = (): (() => string) => {
  const pool = Buffer.alloc(UUID_BYTES * BATCH);
  let offset = pool.length;
  return () => {
    if (offset === pool.length) {
      randomFillSync(pool);
      offset = 0;
    }
    const random = pool.subarray(offset, (offset += UUID_BYTES));
    return uuidv7({ random });
  };
};

/** Gives every request an id, the caller's own where it is sane, and answers it as `X-Request-Id`. */
export const requestId = (): AppMiddleware => {
  const nextId = createIds();
  return ({ req, res, state }, next) => {
    const given = req.headers['x-request-id'];
    state.requestId = typeof given === 'string' && ACCEPTED.test(given) ? given : nextId();
    state.routePattern = 'unmatched';
    res.setHeader('X-Request-Id', state.requestId);
    return next();
  };
};
