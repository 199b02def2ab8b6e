import type { Metrics } from '../../observability/metrics';
import type { AppMiddleware } from '../context';

/** A method is chosen by the client: what is not known is counted together, or labels would grow without bound. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Times every request, by method, route pattern and status. */
export const httpMetrics =
  ({ httpRequestDuration }: Metrics): AppMiddleware =>
  async (ctx, next) => {
    const start = performance.now();
    await next();
    const method = METHODS.has(ctx.method) ? ctx.method : 'OTHER';
    httpRequestDuration.observe(
      { method, route: ctx.state.routePattern, status: ctx.status },
      (performance.now() - start) / 1_000,
    );
  };
