import type Koa from 'koa';
import type { Logger } from 'pino';

import type { Caller } from '../contracts/caller';
import type { Metrics } from '../observability/metrics';
import type { Interceptor, Route } from './route';

/** Limits of the HTTP service. Properties are read at use, so an object whose values change is seen at once. */
export interface HttpConfig {
  /** Larger bodies are refused with 413, bytes. */
  readonly maxBodyBytes: number;
  /** Longest time for one request, body included, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Origins that browsers may call from. */
  readonly corsOrigins: readonly string[];
  /** Proxies in front that append to `X-Forwarded-For`; 0 by default: the header is ignored. */
  readonly trustedProxyHops?: number;
}

export interface AppDependencies {
  readonly routes: readonly Route[];
  /**
   * Turns a bearer token into its caller.
   * @throws {AppError} `invalid_token`
   */
  readonly authenticate: (bearerToken: string) => Promise<Caller>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: HttpConfig;
  /** What the OpenAPI document says of the service; without it no documentation is served. */
  readonly docs?: { readonly title: string; readonly version: string; readonly publicUrl: string };
  /** Around every handler, the first one outermost. */
  readonly interceptors?: readonly Interceptor[];
}

export const createApp = (_dependencies: AppDependencies): Koa => {
  throw new Error('not built yet');
};
