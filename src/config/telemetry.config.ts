import { z } from 'zod';

import { choice, fraction, optionalChoice, optionalHttpUrl, optionalSecret } from './fields';

const PROTOCOLS = ['grpc', 'http/protobuf'] as const;
type Protocol = (typeof PROTOCOLS)[number];

export const telemetryEnv = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalHttpUrl(
    'Collector that traces are sent to, such as http://localhost:4317; without one nothing is traced',
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: optionalChoice(
    PROTOCOLS,
    'What the collector speaks: grpc on port 4317, http/protobuf on every other one, unless this says otherwise',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: optionalSecret('Headers for the collector, such as authorization=Bearer%20<token>'),
  OTEL_EXPORTER_JAEGER_ENDPOINT: optionalHttpUrl(
    'Jaeger, where no collector is named. Jaeger takes OTLP now: its ports 14250 and 14268 become 4317 and 4318',
  ),
  OTEL_TRACES_SAMPLER: choice(
    [
      ...(['parentbased_traceidratio', 'parentbased_always_on', 'parentbased_always_off'] as const),
      ...(['traceidratio', 'always_on', 'always_off'] as const),
    ],
    'parentbased_traceidratio',
    'Which traces are recorded; parentbased leaves it to the caller, where a trace has begun already',
  ),
  OTEL_TRACES_SAMPLER_ARG: fraction(1, 'Share of the traces that traceidratio records'),
});

/** The ports of Jaeger's own protocols, and those where it takes OTLP. */
const OTLP_PORTS: Readonly<Record<string, string>> = { '14250': '4317', '14268': '4318' };

/** https://www.jaegertracing.io/docs/1.76/apis/: OTLP takes the place of Jaeger's own protocols. */
const fromJaeger = (endpoint: string | undefined): string | undefined => {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  url.port = OTLP_PORTS[url.port] ?? url.port;
  return url.origin;
};

const protocolOf = (url: string): Protocol => (new URL(url).port === '4317' ? 'grpc' : 'http/protobuf');

/** The collector that these variables name, as URL. @returns undefined where they name none */
const collectorUrl = (
  otlp: string | undefined,
  jaeger: string | undefined,
): { readonly url: string; readonly isJaeger: boolean } | undefined => {
  const url = otlp ?? fromJaeger(jaeger);
  return url === undefined ? undefined : { url: url.replace(/\/+$/, ''), isJaeger: otlp === undefined };
};

/** Traces. */
export const toTelemetryConfig = (env: z.output<typeof telemetryEnv>) => {
  const collector = collectorUrl(env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_JAEGER_ENDPOINT);
  const sampler = env.OTEL_TRACES_SAMPLER;
  return {
    isTraced: collector !== undefined,
    /** Absent where nothing is traced. */
    collector: collector && {
      ...collector,
      protocol: env.OTEL_EXPORTER_OTLP_PROTOCOL ?? protocolOf(collector.url),
      headers: env.OTEL_EXPORTER_OTLP_HEADERS,
    },
    sampling: {
      /** 0 to 1. */
      ratio: sampler.endsWith('always_on') ? 1 : sampler.endsWith('always_off') ? 0 : env.OTEL_TRACES_SAMPLER_ARG,
      followsCaller: sampler.startsWith('parentbased_'),
    },
  };
};
export type TelemetryConfig = ReturnType<typeof toTelemetryConfig>;
