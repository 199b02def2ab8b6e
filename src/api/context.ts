import type Koa from 'koa';

/** What the middleware of one request hand on. */
export interface AppState {
  requestId: string;
  /** W3C trace id, where the request belongs to a trace. */
  traceId: string | undefined;
  /** Pattern of the route that matched, for logs and metrics: `unmatched` where none did. Never the path itself. */
  routePattern: string;
}
export type AppContext = Koa.ParameterizedContext<AppState>;
export type AppMiddleware = Koa.Middleware<AppState>;
