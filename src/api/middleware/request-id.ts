import { v7 as uuidv7 } from 'uuid';

import type { AppMiddleware } from '../context';

/** An id from outside is taken over only in this form: it goes into logs and headers. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/;

/** Gives every request an id, the caller's own where it is sane, and answers it as `X-Request-Id`. */
export const requestId = (): AppMiddleware => (ctx, next) => {
  const given = ctx.req.headers['x-request-id'];
  ctx.state.requestId = typeof given === 'string' && ACCEPTED.test(given) ? given : uuidv7();
  ctx.state.routePattern = 'unmatched';
  ctx.res.setHeader('X-Request-Id', ctx.state.requestId);
  return next();
};
