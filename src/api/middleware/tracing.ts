import { beginRequest, endRequest } from '../../observability/span';
import type { AppMiddleware } from '../context';
import { QUIET } from './access-log';

/**
 * A span for each request, in the trace of whoever sent it: `METHOD /route/:template`, status, and why it failed. Never a path, a
 * query or an address.
 */
export const tracing = (): AppMiddleware => async (ctx, next) => {
  // Probes are nobody's request.
  if (QUIET.has(ctx.path)) {
    await next();
    return;
  }
  const { method, state } = ctx;
  const span = beginRequest(method, ctx.req.headers);
  state.traceId = span.traceId ?? state.traceId;
  try {
    await span.run(next);
  } finally {
    endRequest(span, method, state.routePattern, ctx.status);
  }
};
