import type { Logger } from 'pino';

import { createApp } from './app';
import { listen, type Listening } from './server';
import type { ServerTls } from '../config/tls.config';
import { AppError } from '../contracts/errors';
import type { Metrics } from '../observability/metrics';
import type { Readiness } from '../health/readiness';

export interface OperationsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly portSetting?: string;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Probes and scrapers have no certificates, so none is asked for. */
  readonly tls?: ServerTls | undefined;
}

/** These requests are small and are answered at once, milliseconds and bytes. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 1_024;

/** `/healthz`, `/readyz` and `/metrics` for a process that serves nothing else over HTTP. */
export const startOperationsServer = (options: OperationsServerOptions): Promise<Listening> => {
  const app = createApp({
    routes: [],
    authenticate: () => Promise.reject(new AppError('invalid_token')),
    logger: options.logger,
    metrics: options.metrics,
    readiness: options.readiness,
    config: { maxBodyBytes: MAX_BODY_BYTES, requestTimeoutMs: REQUEST_TIMEOUT_MS, corsOrigins: [] },
  });
  return listen(app, { ...options, requestTimeoutMs: REQUEST_TIMEOUT_MS });
};
