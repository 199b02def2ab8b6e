import { z } from 'zod';

import type { Readiness } from '../../health/readiness';
import type { Metrics } from '../../observability/metrics';
import type { Page } from '../page';
import { defineRoute, type Route } from '../route';

const alive = z.object({ status: z.literal('alive') });

const checkSchema = z.object({
  status: z.enum(['up', 'down']),
  durationMs: z.number().meta({ description: 'Milliseconds' }),
  error: z.string().optional().meta({ description: 'A code such as ECONNREFUSED or timeout' }),
});
const readinessSchema = z.object({
  status: z.enum(['ready', 'degraded', 'not_ready', 'shutting_down']),
  checks: z.record(z.string(), checkSchema),
});

/** `GET /healthz` (the process runs) and `GET /readyz` (it can do its work). */
export const createHealthRoutes = (readiness: Readiness): readonly Route[] => [
  defineRoute({
    method: 'get',
    path: '/healthz',
    operationId: 'getLiveness',
    summary: 'Whether the process runs; asks nothing else',
    tags: ['Operations'],
    auth: 'none',
    limit: 'none',
    responses: { 200: { description: 'It runs', schema: alive } },
    errors: [],
    // eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
    handler: async () => ({ status: 200, body: { status: 'alive' } }),
  }),
  defineRoute({
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Whether the process can do its work now',
    tags: ['Operations'],
    auth: 'none',
    limit: 'none',
    responses: {
      200: { description: 'Ready, or degraded: something is down that it can do without', schema: readinessSchema },
      503: { description: 'Not ready, or shutting down', schema: readinessSchema },
    },
    errors: [],
    handler: async () => {
      const report = await readiness.check();
      const up = report.status === 'ready' || report.status === 'degraded';
      return up ? { status: 200, body: report } : { status: 503, body: report };
    },
  }),
];

/** `GET /metrics` in Prometheus' text format. */
export const metricsPage = ({ registry }: Metrics): Page => ({
  path: '/metrics',
  respond: async (ctx) => {
    const text = await registry.metrics();
    ctx.set('Content-Type', registry.contentType);
    ctx.status = 200;
    ctx.body = text;
  },
});
