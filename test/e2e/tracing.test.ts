import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { grpcClientOf } from '../support/grpc-client';
import { createHttpClient } from '../support/http-client';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver';
import { mailedCode, newFaydaId, newPerson, newPhone, WELCOME_SUBJECT } from '../support/people';
import { startTestService, type TestService } from '../support/start-test-service';

const NAME = 'meqenet-auth-service';
const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5];

/** The trace that a client has begun, and its own span. */
const newTrace = () => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return {
    traceId,
    spanId,
    headers: { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'vendor=sentinel-state' },
  };
};

let collector: OtlpReceiver;
let service: TestService;
let stop: (() => Promise<void>)[] = [];
beforeAll(async () => {
  collector = await startOtlpReceiver();
  stop = [() => collector.stop()];
  service = await startTestService({
    processes: ['api', 'worker', 'consumer', 'gateway'],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.grpcUrl,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=of%20the%20test',
    },
  });
  stop = [() => service.stop(), ...stop];
}, 90_000);
afterAll(async () => {
  for (const each of stop) await each();
}, 60_000);

const linesOf = async (process: string): Promise<Record<string, unknown>[]> => {
  const text = await readFile(join(service.stack.logDir, `${process}.log`), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

/** From a span up to the one that has no parent among these, the span itself first. */
const ancestry = (spans: readonly ReceivedSpan[], from: ReceivedSpan | undefined): ReceivedSpan[] => {
  if (from === undefined) return [];
  return [
    from,
    ...ancestry(
      spans,
      spans.find(({ spanId }) => spanId === from.parentId),
    ),
  ];
};
const named = (spans: readonly ReceivedSpan[], service: string, name: string | RegExp): ReceivedSpan | undefined =>
  spans.find(
    (span) => span.service === service && (typeof name === 'string' ? span.name === name : name.test(span.name)),
  );

describe('a registration', () => {
  const person = newPerson({
    phone: newPhone(),
    faydaId: newFaydaId(),
    firstName: 'Sentinelfirst',
    lastName: 'Sentinellast',
  });
  const trace = newTrace();
  const secrets: string[] = [];
  let spans: readonly ReceivedSpan[] = [];

  beforeAll(async () => {
    const http = createHttpClient(service.gatewayUrl);
    const options = { headers: { ...trace.headers, 'user-agent': 'SentinelAgent/1.0' } };
    const { body } = await http.post('/v1/auth/register?utm=sentinel-query', person, options);
    const code = await mailedCode(service, person.email);
    const verified = await http.post(`/v1/auth/register/${String(body.registrationId)}/verify`, { code }, options);
    expect(verified.status).toBe(201);
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    const { accessToken, refreshToken, user } = verified.body as {
      readonly accessToken: string;
      readonly refreshToken: string;
      readonly user: { readonly id: string };
    };
    await http.get('/v1/users/me', { ...options, token: accessToken });
    secrets.push(
      ...[
        person.email,
        person.password,
        person.phone!,
        person.phone!.slice(-8),
        person.faydaId!,
        'Sentinelfirst',
        'Sentinellast',
      ],
      ...[
        code,
        accessToken,
        refreshToken,
        String(body.registrationId),
        user.id,
        'sentinel-query',
        'SentinelAgent',
        'sentinel-state',
      ],
    );
    await collector.until(
      'the welcome mail’s span',
      (all) => named(all, `${NAME}-consumer`, 'send mail') !== undefined,
    );
    await collector.until('the last request’s span', (all) => named(all, `${NAME}-gateway`, 'GET /v1/*') !== undefined);
    spans = collector.spans.filter(({ traceId }) => traceId === trace.traceId);
  }, 60_000);

  it('is one trace from the gateway over the API, the workflow, its activities and SQL, the queue and the consumer to the mail', () => {
    const mail = named(spans, `${NAME}-consumer`, 'send mail');
    expect(ancestry(spans, mail).map((span) => [span.service, span.kind, span.name])).toEqual([
      [`${NAME}-consumer`, CLIENT, 'send mail'],
      [`${NAME}-consumer`, CONSUMER, 'process notifications'],
      [`${NAME}-worker`, PRODUCER, 'add notifications.user:registered'],
      [`${NAME}-worker`, 1, 'RunActivity:enqueueUserRegistered'],
      [NAME, 1, 'StartWorkflowUpdate:verify'],
      [NAME, SERVER, 'POST /v1/auth/register/:registrationId/verify'],
      [`${NAME}-gateway`, CLIENT, 'POST'],
      [`${NAME}-gateway`, SERVER, 'POST /v1/*'],
    ]);
    const created = spans.find(
      (span) => span.attributes['db.system.name'] === 'postgresql' && span.service === `${NAME}-worker`,
    );
    const path = ancestry(spans, created);
    expect(path.map((span) => [span.service, span.name]).slice(1)).toEqual([
      [`${NAME}-worker`, 'RunActivity:createPendingRegistration'],
      [NAME, 'StartWorkflow:registration'],
      [NAME, 'POST /v1/auth/register'],
      [`${NAME}-gateway`, 'POST'],
      [`${NAME}-gateway`, 'POST /v1/*'],
    ]);
    expect(path.at(-1)?.parentId).toBe(trace.spanId);
  });

  it('says what was asked for by pattern, and how it ended', () => {
    expect(named(spans, NAME, 'POST /v1/auth/register')?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/auth/register',
      'http.response.status_code': 202,
    });
    expect(named(spans, `${NAME}-gateway`, 'POST')?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 202,
      'server.address': '127.0.0.1',
      'server.port': service.stack.ports.api,
    });
  });

  it('leaves nothing of the person in any span, however deep', () => {
    expect(secrets.filter((secret) => collector.spans.some(({ text }) => text.includes(secret)))).toEqual([]);
  });

  it('is found in the logs by the trace', async () => {
    for (const process of ['gateway', 'api', 'consumer']) {
      const lines = await eventually('its line', async () => {
        const found = (await linesOf(process)).filter(({ traceId }) => traceId === trace.traceId);
        return found.length > 0 && found;
      });
      expect(lines.map(({ msg }) => msg)).toContain(process === 'consumer' ? 'job completed' : 'request');
    }
  });
});

describe('a call of gRPC', () => {
  it('is a span in the trace of who calls', async () => {
    const client = grpcClientOf(service);
    const good = newTrace();
    const bad = newTrace();
    await client.call('validateToken', { accessToken: 'no token' }, { metadata: good.headers });
    await client.call('getUser', { accessToken: 'no token' }, { metadata: bad.headers });
    client.close();
    const inTrace =
      ({ traceId }: { traceId: string }) =>
      (span: ReceivedSpan) =>
        span.traceId === traceId;
    const spans = await collector.until('both', (all) => all.some(inTrace(good)) && all.some(inTrace(bad)));
    expect(spans.filter(inTrace(good)).at(-1)).toMatchObject({
      ...{ service: NAME, kind: SERVER, name: 'auth.v1.AuthService/ValidateToken', parentId: good.spanId },
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'auth.v1.AuthService',
        'rpc.method': 'ValidateToken',
        'rpc.grpc.status_code': 0,
      },
    });
    expect(spans.filter(inTrace(bad)).at(-1)?.attributes).toMatchObject({ 'rpc.grpc.status_code': 16 });
  });
});

describe('what fails', () => {
  it('is marked with its code, and without a message', async () => {
    const trace = newTrace();
    await service.stack.temporal?.stop();
    const answer = await service.http.post('/v1/auth/register', newPerson(), { headers: trace.headers });
    expect(answer.status).toBe(503);
    const spans = await collector.until('it', (all) =>
      all.some((span) => span.traceId === trace.traceId && span.kind === SERVER),
    );
    const failed = spans.find((span) => span.traceId === trace.traceId && span.kind === SERVER);
    expect(failed).toMatchObject({
      status: 2,
      attributes: { 'error.type': 'service_unavailable', 'http.response.status_code': 503 },
    });
    expect(Object.keys(failed?.events[0]?.attributes ?? {}).sort()).toEqual(['exception.stacktrace', 'exception.type']);
    expect(failed?.events[0]?.attributes['exception.stacktrace']).toMatch(/^\s+at /);
  });
});

describe('the collector', () => {
  it('is sent what it asks of its clients', () => {
    expect(collector.headers.every((headers) => String(headers['x-collector-key']) === 'of the test')).toBe(true);
  });

  it('hears nothing of probes, polls and sweeps that nobody asked for', () => {
    const roots = collector.spans.filter(({ parentId }) => parentId === '');
    expect(roots.filter(({ kind }) => kind !== SERVER && kind !== CONSUMER)).toEqual([]);
    expect(roots.filter(({ name }) => /healthz|readyz|metrics|openapi|jwks/.test(name))).toEqual([]);
  });
});
