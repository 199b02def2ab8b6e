import type { Logger } from 'pino';

import type { AppMiddleware } from '../context';

/** Probes come every few seconds; they are worth a line only when someone looks for them. */
export const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * One line for each request: method, route pattern, status, duration (milliseconds), request id. Paths, query strings,
 * bodies and addresses of people stay out (ASVS 16.2.5).
 */
export const accessLog =
  (logger: Logger): AppMiddleware =>
  async (ctx, next) => {
    const start = performance.now();
    await next();
    const { requestId, traceId, routePattern } = ctx.state;
    const line = {
      requestId,
      traceId,
      method: ctx.method,
      route: routePattern,
      status: ctx.status,
      durationMs: Math.round((performance.now() - start) * 100) / 100,
    };
    if (QUIET.has(routePattern)) logger.debug(line, 'request');
    else logger.info(line, 'request');
  };
