import createRouter from 'find-my-way';

import type { GatewayRoute, GatewayService, GatewayTable } from '../config/gateway-routes';
import type { ClientTls } from '../config/tls.config';
import { AppError } from '../contracts/errors';

import { createService, type Service } from './service';
import { createUpstream, type Upstream } from './upstream';

/** A route with the service that it leads to. */
export interface Route extends Omit<GatewayRoute, 'service'> {
  readonly service: Service;
}

/** The routes in force. */
export interface Routes {
  readonly services: readonly Service[];
  /** The route of a path: the most specific pattern decides. @throws {AppError} `not_found`, `method_not_allowed` */
  readonly find: (method: string, path: string) => Route;
}

const RETIRE_AFTER_MS = 30_000;

/** find-my-way wants a handler for each route; only its look-up is used here. */
const unused = (): void => undefined;

const allows = (name: string, method: string): boolean => name === method || (name === 'GET' && method === 'HEAD');

const createFind = (routes: readonly Route[]): Routes['find'] => {
  // By path alone: which methods a path has is asked of what is found.
  const router = createRouter({ maxParamLength: 16_384 });
  const byPath = new Map<string, Route[]>();
  for (const route of routes) {
    const shape = route.path.replaceAll(/:\w+/g, ':p');
    byPath.set(shape, [...(byPath.get(shape) ?? []), route]);
  }
  for (const [path, group] of byPath) router.on('GET', path, unused, group);
  return (method, path) => {
    const group = (router.find('GET', path)?.store ?? []) as readonly Route[];
    if (group.length === 0) throw new AppError('not_found');
    const route =
      group.find(({ methods }) => methods?.some((name) => allows(name, method)) === true) ??
      // It has a service tell what it was sent by the gateway, which is not for the client to know.
      group.find(({ methods }) => methods === undefined && method !== 'TRACE');
    if (route !== undefined) return route;
    const allowed = group.flatMap(({ methods }) => methods ?? []);
    throw new AppError('method_not_allowed', { headers: { Allow: [...new Set(allowed)].join(', ') } });
  };
};

/**
 * Makes tables into routes. Upstreams that stay stay the same, with their connections and what is known of them, for as long as the
 * settings of their service are the same; those that go finish what runs.
 */
export const createTables = (tls: ClientTls) => {
  let known = new Map<string, Upstream>();
  /** Requests that found their route before the change may still ask for it. */
  const retire = (upstream: Upstream): void => {
    setTimeout(() => {
      upstream.close().catch(() => undefined);
    }, RETIRE_AFTER_MS).unref();
  };

  const upstreamOf = (url: string, name: string, settings: GatewayService, next: Map<string, Upstream>): Upstream => {
    const { health, healthInterval, connectTimeout, maxConcurrent } = settings;
    const options = { health, healthIntervalMs: healthInterval, connectTimeoutMs: connectTimeout, maxConcurrent };
    const id = JSON.stringify([name, url, options]);
    const upstream = next.get(id) ?? known.get(id) ?? createUpstream({ url, tls, ...options });
    next.set(id, upstream);
    return upstream;
  };

  return {
    build: ({ services, routes }: GatewayTable): Routes => {
      const next = new Map<string, Upstream>();
      const made = new Map(
        Object.entries(services).map(([name, settings]) => {
          const upstreams = settings.upstreams.map(({ url, weight }) => ({
            upstream: upstreamOf(url, name, settings, next),
            weight,
          }));
          return [name, createService(name, settings, upstreams)] as const;
        }),
      );
      for (const [id, upstream] of known) if (!next.has(id)) retire(upstream);
      known = next;
      const built = routes.flatMap((route) => {
        const service = made.get(route.service);
        return service === undefined ? [] : [{ ...route, service }];
      });
      return { services: [...made.values()], find: createFind(built) };
    },
    close: async (): Promise<void> => {
      await Promise.allSettled([...known.values()].map((upstream) => upstream.close()));
    },
  };
};
