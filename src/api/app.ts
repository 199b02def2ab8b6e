import Koa from 'koa';
import type { Logger } from 'pino';

import type { Caller } from '../contracts/caller';
import type { ErrorCode } from '../contracts/errors';
import type { Readiness } from '../health/readiness';
import type { Metrics } from '../observability/metrics';
import type { AppMiddleware, AppState } from './context';
import { createDocs } from './docs';
import { createGuard } from './guard';
import type { OnDenied } from './operation';
import { accessLog } from './middleware/access-log';
import { cors } from './middleware/cors';
import { dispatch, type Mounted } from './middleware/dispatch';
import { gatewayAddress } from './middleware/gateway-address';
import { httpMetrics } from './middleware/http-metrics';
import { problems, type TranslateError } from './middleware/problems';
import type { RouteLimits } from './middleware/rate-limit';
import { requestId } from './middleware/request-id';
import { securityHeaders } from './middleware/security-headers';
import { tracing } from './middleware/tracing';
import type { DocumentInfo } from './openapi';
import type { Page } from './page';
import type { Interceptor, Route } from './route';
import { createHealthRoutes, metricsPage } from './routes/health';

/** Limits of the HTTP service. Properties are read at use, so an object whose values change is seen at once. */
export interface HttpConfig {
  /** Larger bodies are refused with 413, bytes. */
  readonly maxBodyBytes: number;
  /** Longest time for one request, body included, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Origins that browsers may call from. */
  readonly corsOrigins: readonly string[];
  /** Proxies in front that append to `X-Forwarded-For`; 0 by default: the header is ignored. Read once, at start. */
  readonly trustedProxyHops?: number;
}

export interface AppDependencies {
  readonly routes: readonly Route[];
  /**
   * Turns a bearer token into its caller.
   * @throws {AppError} `invalid_token`
   */
  readonly authenticate: (bearerToken: string) => Promise<Caller>;
  /** Told of callers who had no right to a route. */
  readonly onDenied?: OnDenied;
  /** Whether a caller's high-risk acts have to wait. @throws {AppError} `cooling_off` */
  readonly checkHighRisk?: (caller: Caller) => Promise<void>;
  /** Answers for errors of libraries; what it does not know leaves as `internal_error`. */
  readonly translateError?: TranslateError;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly config: HttpConfig;
  /** What the gateway is known by; without it nobody is believed to be one. */
  readonly gateway?: { readonly secrets: readonly Buffer[] | undefined };
  /** What the OpenAPI document says of the service; without it no documentation is served. */
  readonly docs?: Omit<DocumentInfo, 'interceptorErrors'>;
  /** Pages outside the JSON contract, such as `verifyEmailPages()`. */
  readonly pages?: readonly Page[];
  /** Whether each request is a span; whoever answers for somebody else, who has begun one, makes none. */
  readonly isTraced?: boolean;
  /** What every request passes before its endpoint is looked for. */
  readonly door?: AppMiddleware;
  /** Counts and limits requests; without it nothing is limited. */
  readonly limits?: RouteLimits;
  /** Around every handler, the first one outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** Problems that the interceptors can answer on any route; they go into the document. */
  readonly interceptorErrors?: readonly ErrorCode[];
}

/** Every endpoint of the app: the given routes, health, metrics, pages and documentation. */
const mount = (dependencies: AppDependencies): Mounted[] => {
  const { metrics, readiness, docs, pages = [], interceptors = [], interceptorErrors = [] } = dependencies;
  const routes = [...dependencies.routes, ...createHealthRoutes(readiness)];
  const guard = createGuard({ ...dependencies, interceptors, interceptorErrors });
  const allPages = [
    metricsPage(metrics),
    ...pages,
    ...(docs === undefined ? [] : createDocs(routes, { ...docs, interceptorErrors })),
  ];
  return [
    ...routes.map((route) => ({ method: route.method, path: route.path, endpoint: guard(route) })),
    ...allPages.map(({ path, respond }) => ({ method: 'get' as const, path, endpoint: respond })),
  ];
};

/** The HTTP API as a Koa app. The order of the middleware is the order in which a request passes them. */
export const createApp = (dependencies: AppDependencies): Koa<AppState> => {
  const { logger, metrics, config } = dependencies;
  const hops = config.trustedProxyHops ?? 0;
  const app = new Koa<AppState>({ proxy: hops > 0, maxIpsCount: hops });
  app.use(requestId());
  if (dependencies.isTraced === true) app.use(tracing());
  if (dependencies.gateway !== undefined) app.use(gatewayAddress(dependencies.gateway));
  app.use(accessLog(logger));
  app.use(httpMetrics(metrics));
  app.use(securityHeaders());
  app.use(cors(config));
  app.use(problems(logger, dependencies.translateError ?? (() => undefined)));
  if (dependencies.door !== undefined) app.use(dependencies.door);
  app.use(dispatch(mount(dependencies)));
  // What breaks after the middleware: mostly clients that leave while an answer is sent.
  app.on('error', (error: unknown) => {
    logger.debug({ err: error }, 'an answer could not be sent');
  });
  return app;
};
