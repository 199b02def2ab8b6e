import { frontPages } from '../api/pages/front-page';
import { watchTable } from '../config/gateway-routes-file';
import type { SectionOf } from '../config/processes';
import type { Config } from '../config/sections';
import { deriveKey } from '../crypto/derive-key';
import { createDocuments } from '../gateway/documents';
import { createEdgeTokens, type RevokedClaims } from '../gateway/edge-tokens';
import { createGateway } from '../gateway/gateway';
import { createEdgeKeys } from '../gateway/jwks';
import { followRevocations } from '../gateway/revoked-claims';
import { createPartStates } from '../gateway/part-states';
import { createTables, type Routes } from '../gateway/table';
import { type Indicator, redisIndicator } from '../health/indicators';
import { createReadiness, type Readiness } from '../health/readiness';
import { createCounterStore } from '../limits/counter-store';
import { createFloodLimit } from '../limits/flood-limit';
import { createGatewayMetrics, type GatewayMetrics } from '../observability/gateway-metrics';
import { createLimitMetrics } from '../observability/limit-metrics';
import { createCountingConnection } from '../redis/connection';

import { buildRevocations } from './events';
import { buildOwn } from './gateway-own';
import { type ProcessContext, CHECK_TIMEOUT_MS, closeAll, mustBeReady } from './process';

type Context = ProcessContext<SectionOf<'gateway'>>;

/** How often the documents of the services are read, milliseconds, and those that are not there yet. */
const DOCUMENTS_MS = 30_000;
const MISSING_DOCUMENTS_MS = 500;

const buildLimit = ({ config, metrics }: Context, secret: Buffer, counters: () => GatewayMetrics) => {
  const { limits, redis, gateway } = config;
  const { fallbacks } = createLimitMetrics(metrics.registry);
  return createFloodLimit({
    store: createCounterStore({
      redis: createCountingConnection(redis.connection, limits.redisTimeoutMs),
      onFallback: () => {
        fallbacks.inc();
      },
    }),
    config: {
      mode: () => limits.mode,
      policy: () => gateway.limit,
      overallPerMinute: () => gateway.overallPerMinute,
    },
    key: deriveKey(secret, 'rate-limit'),
    onLimited: (scope, reason, mode) => {
      counters().limited.inc({ scope, reason, mode });
    },
  });
};

const statesOf = ({ services }: Routes) =>
  services.flatMap(({ name, upstreams }) =>
    upstreams.map(({ upstream }) => ({ service: name, upstream: upstream.url, state: upstream.state() })),
  );

/** The routes in force, and what changes of the file make of them. */
const buildRoutes = ({ config, logger }: Context, counters: () => GatewayMetrics) => {
  const { routesFile, authServiceUrls, upstreamTls } = config.gateway;
  const watched = watchTable(routesFile, authServiceUrls);
  const tables = createTables(upstreamTls);
  let routes = tables.build(watched.table);
  const unwatch = watched.start((reload) => {
    counters().reloads.inc({ outcome: reload.outcome });
    if (reload.outcome === 'applied') {
      routes = tables.build(reload.table);
      logger.info({ routes: reload.table.routes.length }, 'routes reloaded');
    } else logger.error({ problems: reload.problems }, 'routes not reloaded; the last good ones go on');
  });
  return {
    current: () => routes,
    auth: () => routes.services.find(({ settings }) => settings.kind === 'auth'),
    close: async (): Promise<void> => {
      unwatch();
      await tables.close();
    },
  };
};
type BuiltRoutes = ReturnType<typeof buildRoutes>;

const buildDocuments = ({ logger }: Context, routes: BuiltRoutes) => {
  const documents = createDocuments(
    () => routes.current().services,
    (service, error) => {
      logger.warn({ err: error, service }, 'the document of a service cannot be read');
    },
  );
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let readAt = -Infinity;
  const read = async (): Promise<void> => {
    const isDue = performance.now() - readAt >= DOCUMENTS_MS;
    if (isDue) readAt = performance.now();
    await documents.refresh(!isDue);
    if (!stopped) timer = setTimeout(tick, MISSING_DOCUMENTS_MS).unref();
  };
  const tick = (): void => {
    read().catch(() => undefined);
  };
  return {
    documents,
    start: read,
    stop: (): void => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};

/** Sessions that ended, as the audit trail tells of them. Without Redis nothing new is heard; the auth service knows all the same. */
const buildRevoked = ({ config, logger }: Context) => {
  const { revocations, redis, close } = buildRevocations(config);
  const followed = followRevocations({
    source: revocations,
    tokenLifeMs: () => config.tokens.jwt.expiresInMs,
    onFailure: (error) => {
      logger.debug({ err: error }, 'revocations cannot be followed');
    },
  });
  return {
    revoked: followed,
    redis: redisIndicator({ ping: () => redis.ping() }),
    close: async (): Promise<void> => {
      followed.close();
      await close();
    },
  };
};

const buildTokens = ({ config }: Context, routes: BuiltRoutes, revoked: RevokedClaims) =>
  createEdgeTokens({
    keys: createEdgeKeys(() => {
      const auth = routes.auth();
      return auth === undefined ? Promise.reject(new Error('no auth service')) : auth.get('/.well-known/jwks.json');
    }),
    revoked,
    config: { issuer: config.tokens.jwt.issuer, audience: config.tokens.jwt.audience },
  });

/** Tells what runs where, so it is not there in production. */
const buildFrontPage = ({ app, gateway }: Config<'app' | 'gateway'>, routes: BuiltRoutes, readiness: Readiness) =>
  app.environment === 'production'
    ? []
    : frontPages(createPartStates({ readiness, routes: routes.current, parts: gateway.frontPageParts }));

/** A gateway that answers for what is away is better than none (docs/decisions/0004): nothing keeps it from being ready. */
const buildReadiness = (routes: BuiltRoutes, redis: Indicator) =>
  createReadiness(
    () => ({
      redis,
      ...Object.fromEntries(
        routes.current().services.map(({ name, upstreams }) => {
          const isUp = upstreams.some(({ upstream }) => upstream.state() === 'up');
          return [name, () => mustBeReady(isUp)];
        }),
      ),
    }),
    { timeoutMs: CHECK_TIMEOUT_MS, optional: 'all' },
  );

/** The `gateway` process. */
export const buildGateway = async (context: Context) => {
  const { config, logger, metrics } = context;
  const [shared] = config.gatewayTrust.secrets ?? [];
  if (shared === undefined) throw new Error('The configuration let a gateway pass that has no secret');
  const routes = buildRoutes(context, () => counters);
  const counters: GatewayMetrics = createGatewayMetrics(metrics.registry, () => statesOf(routes.current()));
  const limit = buildLimit(context, shared, () => counters);
  const { documents, start, stop } = buildDocuments(context, routes);
  await start();
  const { revoked, redis, close: stopFollowing } = buildRevoked(context);
  const readiness = buildReadiness(routes, redis);
  const gateway = createGateway({
    routes: routes.current,
    tokens: buildTokens(context, routes, revoked),
    documents,
    limit,
    own: buildOwn(context, { documents, readiness, pages: buildFrontPage(config, routes, readiness) }),
    ...{ config: config.gateway, trust: config.gatewayTrust },
    isSecure: config.tls !== undefined,
    ...{ logger, metrics, counters },
  });
  const close = async (): Promise<void> => {
    stop();
    limit.close();
    await closeAll(stopFollowing, routes.close);
  };
  return { gateway, readiness, close };
};
