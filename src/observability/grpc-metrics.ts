import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper bounds in seconds: from a token check to the longest request. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** Calls of the gRPC server. `caller` is the name of a service, as configured. */
export const createGrpcMetrics = (registry: Registry) => ({
  duration: new Histogram({
    name: 'grpc_server_handling_seconds',
    help: 'Time from a call to its status, by method and code',
    labelNames: ['method', 'code'] as const,
    buckets: BUCKETS,
    registers: [registry],
  }),
  calls: new Counter({
    name: 'grpc_server_calls_total',
    help: 'Calls by method and the service that made them',
    labelNames: ['method', 'caller'] as const,
    registers: [registry],
  }),
});
export type GrpcMetrics = ReturnType<typeof createGrpcMetrics>;
