import { createApp } from '../api/app';
import { swaggerPages } from '../api/docs';
import { liveDocument } from '../api/live-document';
import { commonSecurityHeaders } from '../api/middleware/security-headers';
import type { Page } from '../api/page';
import { AppError } from '../contracts/errors';
import type { Documents } from '../gateway/documents';
import type { GatewayDependencies } from '../gateway/gateway';
import type { Readiness } from '../health/readiness';

import type { ProcessContext } from './process';

interface OwnOptions {
  readonly documents: Documents;
  readonly readiness: Readiness;
  /** Further pages. */
  readonly pages?: readonly Page[];
}

/**
 * What the gateway answers itself, by the very app that the API is made of: its probes, the documents, and every refusal, so that a
 * problem of the gateway cannot be told from one of the API.
 */
export const buildOwn = (
  { config, logger, metrics }: ProcessContext<'app'>,
  { documents, readiness, pages = [] }: OwnOptions,
): GatewayDependencies['own'] => {
  const refusals = new WeakMap<object, { readonly error: unknown; readonly route: string }>();
  const allPages = [...liveDocument(documents.merged), ...swaggerPages(), ...pages];
  // Not /metrics, which the app has as well: what is not named here is looked for behind the gateway.
  const paths = new Set<string>(['/healthz', '/readyz', ...allPages.map(({ path }) => path)]);
  const handle = createApp({
    routes: [],
    authenticate: () => Promise.reject(new AppError('invalid_token')),
    door: (ctx, next) => {
      const refusal = refusals.get(ctx.req);
      if (refusal === undefined) return next();
      ctx.state.routePattern = refusal.route;
      throw refusal.error;
    },
    pages: allPages,
    logger,
    metrics,
    readiness,
    config: config.app,
  }).callback();
  return {
    headers: commonSecurityHeaders(),
    has: (path) => paths.has(path),
    handle,
    refuse: (request, response, error, route) => {
      refusals.set(request, { error, route });
      return handle(request, response);
    },
  };
};
