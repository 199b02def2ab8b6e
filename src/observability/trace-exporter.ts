import type * as grpc from '@grpc/grpc-js';
import { ExportResultCode, parseKeyPairsIntoRecord } from '@opentelemetry/core';
import type * as overGrpc from '@opentelemetry/exporter-trace-otlp-grpc';
import type * as overHttp from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

import type { TelemetryConfig } from '../config/telemetry.config';

/** Longest time for one batch, repetitions included, milliseconds. */
const TIMEOUT_MS = 5_000;

type Collector = NonNullable<TelemetryConfig['collector']>;

/* eslint-disable @typescript-eslint/no-require-imports -- only what is used is loaded; `import()` is not for CommonJS */
const createHttpExporter = (url: string, headers: Record<string, string>): SpanExporter => {
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto') as typeof overHttp;
  return new OTLPTraceExporter({ url: `${url}/v1/traces`, headers, timeoutMillis: TIMEOUT_MS });
};

const createGrpcExporter = (url: string, headers: Record<string, string>): SpanExporter => {
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-grpc') as typeof overGrpc;
  const { Metadata } = require('@grpc/grpc-js') as typeof grpc;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new OTLPTraceExporter({ url, metadata, timeoutMillis: TIMEOUT_MS });
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** Says that traces are lost when it begins and when it is over, not at every batch. */
const withOneLine = (exporter: SpanExporter, logger: Logger): SpanExporter => {
  let isFailing = false;
  const note = (failed: boolean, error: Error | undefined): void => {
    if (failed && !isFailing) logger.warn({ err: error }, 'traces cannot be sent; they are lost until they can');
    if (!failed && isFailing) logger.info('traces are sent again');
    isFailing = failed;
  };
  return {
    export: (spans, done) => {
      exporter.export(spans, ({ code, error }) => {
        note(code === ExportResultCode.FAILED, error);
        // All that the SDK would do about a failure is to print it.
        done({ code: ExportResultCode.SUCCESS });
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
};

/** Sends spans to the collector (OTLP). */
export const createTraceExporter = ({ url, protocol, headers }: Collector, logger: Logger): SpanExporter => {
  const create = protocol === 'grpc' ? createGrpcExporter : createHttpExporter;
  return withOneLine(create(url, parseKeyPairsIntoRecord(headers)), logger);
};
