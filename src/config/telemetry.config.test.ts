import { describe, expect, it } from '@jest/globals';

import { ConfigError, loadConfig } from './load';

type Environment = Readonly<Record<string, string>>;
const load = (environment: Environment) => loadConfig(['app', 'tls', 'telemetry'], environment).telemetry;
const problemsOf = (environment: Environment): readonly string[] => {
  try {
    load(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
};

describe('the collector', () => {
  it('is none unless one is named', () => {
    expect(load({})).toMatchObject({ isTraced: false, collector: undefined });
  });

  it.each([
    // The lines of the user's guide.
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4317' }, 'http://otel-collector:4317', 'grpc'],
    [{ OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger:14250' }, 'http://jaeger:4317', 'grpc'],
    [{ OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger:14268/api/traces' }, 'http://jaeger:4318', 'http/protobuf'],
    [{ OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger:4317' }, 'http://jaeger:4317', 'grpc'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318/' }, 'http://localhost:4318', 'http/protobuf'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example/team' }, 'https://otlp.example/team', 'http/protobuf'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger:14250' },
      'http://c:4318',
      'http/protobuf',
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:9', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'http://c:9', 'grpc'],
  ] as const)('of %j is %s, over %s', (environment, url, protocol) => {
    const isJaeger = !('OTEL_EXPORTER_OTLP_ENDPOINT' in environment);
    expect(load(environment)).toMatchObject({ isTraced: true, collector: { url, protocol, isJaeger } });
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger:14250' }, 'OTEL_EXPORTER_JAEGER_ENDPOINT'],
  ])('in production is asked over TLS, or the plaintext is named: %j', (environment, variable) => {
    const problems = (more: Environment) =>
      problemsOf({ NODE_ENV: 'production', ...environment, ...more }).filter((line) => line.startsWith('OTEL_'));
    expect(problems({})).toEqual([expect.stringContaining(`${variable}: must be https in production`)]);
    expect(problems({ PLAINTEXT_ALLOWED: 'otlp' })).toEqual([]);
    expect(problems({ [variable]: 'https://collector:4317' })).toEqual([]);
    expect(problems({ [variable]: 'http://127.0.0.1:4317' })).toEqual([]);
  });
});

describe('what is recorded', () => {
  it.each([
    [{}, { ratio: 1, followsCaller: true }],
    [{ OTEL_TRACES_SAMPLER_ARG: '0.05' }, { ratio: 0.05, followsCaller: true }],
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      { ratio: 0, followsCaller: false },
    ],
    [
      { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: '0.5' },
      { ratio: 1, followsCaller: false },
    ],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, { ratio: 0, followsCaller: true }],
  ])('of %j is %j', (environment, sampling) => {
    expect(load(environment).sampling).toEqual(sampling);
  });

  it.each(['1.5', '-1', '1e-1', 'half', '0.'])('of %s there is no share', (share) => {
    expect(problemsOf({ OTEL_TRACES_SAMPLER_ARG: share })).toEqual([
      'OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1',
    ]);
  });
});
