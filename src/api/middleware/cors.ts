import koaCors from '@koa/cors';

import type { AppMiddleware } from '../context';

const EXPOSED = ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Idempotency-Replayed'];
const ACCEPTED = [
  'Authorization',
  'Content-Type',
  'Accept-Language',
  'Idempotency-Key',
  'X-Device-Id',
  'X-Device-Token',
  'X-Request-Id',
];
/** How long browsers may keep the answer to a preflight, seconds (Chromium keeps at most 2 h). */
const PREFLIGHT_MAX_AGE = 7_200;

/** Lets browsers call from the configured origins, without cookies; other origins get no CORS header. */
export const cors = (config: { readonly corsOrigins: readonly string[] }): AppMiddleware => {
  const handle: AppMiddleware = koaCors({
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      return config.corsOrigins.includes(origin) ? origin : '';
    },
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ACCEPTED,
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_MAX_AGE,
  });
  return (ctx, next) => {
    if (ctx.req.headers.origin !== undefined) return handle(ctx, next) as Promise<void>;
    // Most requests come from servers and apps: for them only what caches must know.
    ctx.res.setHeader('Vary', 'Origin');
    return next();
  };
};
