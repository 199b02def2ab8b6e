import createRouter, { type HTTPMethod } from 'find-my-way';

import { AppError } from '../../contracts/errors';
import type { AppMiddleware } from '../context';
import type { Endpoint } from '../guard';
import type { Method } from '../route';

export interface Mounted {
  readonly method: Method;
  readonly path: string;
  readonly endpoint: Endpoint;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly HTTPMethod[];

/** find-my-way wants a handler for each route; only its look-up is used here. */
const unused = (): void => undefined;

/** `/v1/sessions/` is not the session without an id. */
const hasEmptyParameter = (params: Readonly<Record<string, string | undefined>>): boolean => {
  for (const name in params) if (params[name] === '') return true;
  return false;
};

/**
 * Finds the endpoint of a request (a radix tree: the cost does not grow with the number of routes) and calls it.
 *
 * HEAD is answered as GET is, OPTIONS with the methods of the path.
 * @throws {AppError} `not_found`, also for a path whose percent-encoding is broken; `method_not_allowed`
 */
export const dispatch = (mounted: readonly Mounted[]): AppMiddleware => {
  const router = createRouter();
  for (const route of mounted) router.on(route.method.toUpperCase() as HTTPMethod, route.path, unused, route);

  const allowedMethods = (url: string): string[] => {
    const methods: string[] = METHODS.filter((method) => {
      const found = router.find(method, url);
      return found !== null && !hasEmptyParameter(found.params);
    });
    if (methods.includes('GET')) methods.push('HEAD');
    if (methods.length > 0) methods.push('OPTIONS');
    return methods;
  };

  return (ctx) => {
    const url = ctx.req.url ?? '/';
    const found = router.find((ctx.method === 'HEAD' ? 'GET' : ctx.method) as HTTPMethod, url);
    if (found !== null && !hasEmptyParameter(found.params)) {
      const { path, endpoint } = found.store as Mounted;
      ctx.state.routePattern = path;
      return endpoint(ctx, { params: found.params, query: found.searchParams });
    }
    const allowed = allowedMethods(url);
    if (allowed.length === 0) throw new AppError('not_found');
    ctx.set('Allow', allowed.join(', '));
    if (ctx.method !== 'OPTIONS') throw new AppError('method_not_allowed');
    ctx.status = 204;
    return undefined;
  };
};
