import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

import type { TelemetryConfig } from './config/telemetry.config';
import { traceRedis } from './observability/redis-spans';
import { withoutPersonalData } from './observability/span-privacy';
import { createTraceExporter } from './observability/trace-exporter';
import { createSampler } from './observability/trace-sampler';

/** Spans wait for so long to be sent together, milliseconds. */
const BATCH_MS = 1_000;

export interface TracingOptions {
  readonly collector: NonNullable<TelemetryConfig['collector']>;
  readonly sampling: TelemetryConfig['sampling'];
  /** Of the service, as `OTEL_SERVICE_NAME` has it. */
  readonly serviceName: string;
  /** Of the process. */
  readonly processName: string;
  readonly logger: Logger;
}

/** The auth service proper has the name itself; to its other processes it is the first half, unless they were given their own. */
const nameOf = ({ serviceName, processName }: Pick<TracingOptions, 'serviceName' | 'processName'>): string =>
  processName === 'api' || serviceName.endsWith(processName) ? serviceName : `${serviceName}-${processName}`;

export interface Tracing {
  /** Sends what is left, for at most so many milliseconds. */
  readonly stop: (timeoutMs: number) => Promise<void>;
}

/**
 * Starts the OpenTelemetry SDK; from then on the spans that the process makes are sent to the collector.
 * Once for each process, before it serves or connects to anything. Loaded only where a collector is configured: without
 * one the SDK costs nothing.
 */
export const startTracing = ({ collector, sampling, logger, ...names }: TracingOptions): Tracing => {
  const processor = new BatchSpanProcessor({
    exporter: createTraceExporter(collector, logger),
    scheduledDelayMillis: BATCH_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': nameOf(names),
      'service.namespace': names.serviceName,
      'service.instance.id': randomUUID(),
    }),
    sampler: createSampler(sampling),
    spanProcessors: [withoutPersonalData(processor)],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  traceRedis();
  const { url, protocol } = collector;
  logger.info({ collector: url, protocol, ratio: sampling.ratio }, 'traces are recorded');
  if (collector.isJaeger) {
    logger.warn(
      'OTEL_EXPORTER_JAEGER_ENDPOINT: Jaeger takes OTLP now, which is what it is sent; name it as OTEL_EXPORTER_OTLP_ENDPOINT',
    );
  }
  return {
    stop: async (timeoutMs) => {
      await Promise.race([provider.shutdown().catch(() => undefined), sleep(timeoutMs)]);
    },
  };
};
