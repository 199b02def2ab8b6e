import { traceIdOf } from '../../contracts/trace-context';
import { activeSpan } from '../../observability/span';
import type { AppMiddleware } from '../context';
import { createRequestIds } from '../request-ids';

const single = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

/** Gives every request an id, the caller's own where it is sane, and answers it as `X-Request-Id`; notes to which trace it belongs. */
export const requestId = (): AppMiddleware => {
  const idOf = createRequestIds();
  return ({ req, res, state }, next) => {
    state.requestId = idOf(req.headers['x-request-id']);
    state.traceId = activeSpan()?.traceId ?? traceIdOf(single(req.headers['traceparent']));
    state.routePattern = 'unmatched';
    res.setHeader('X-Request-Id', state.requestId);
    return next();
  };
};
