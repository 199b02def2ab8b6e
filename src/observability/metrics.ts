import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Upper bounds in seconds: from a token check (under 5 ms) to the request timeout (15 s). */
const HTTP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** The metrics of one process, in a registry of its own (prom-client's global one would be a singleton). */
export const createMetrics = () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    /** Labels: `method`, `route` (the pattern, never the path) and `status`. */
    httpRequestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request headers to the end of the answer',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: HTTP_BUCKETS,
      registers: [registry],
    }),
  };
};
export type Metrics = ReturnType<typeof createMetrics>;
