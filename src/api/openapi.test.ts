import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { registerRequest, registrationAccepted, registrationParams, verifyRequest } from '../contracts/registration';
import { loginRequest, verifiedResponse } from '../contracts/session';
import { createReadiness } from '../health/readiness';
import { createOpenApiDocument } from './openapi';
import { defineRoute } from './route';
import { createHealthRoutes } from './routes/health';

const base = { tags: ['Registration'], summary: 'A test', auth: 'none' } as const;
const notCalled = () => Promise.reject(new Error('not called'));
const routes = [
  defineRoute({
    ...base,
    method: 'post',
    path: '/v1/auth/register',
    operationId: 'register',
    body: registerRequest,
    responses: {
      202: { description: 'Accepted', schema: registrationAccepted, headers: { Location: 'Where it stands' } },
    },
    errors: ['overloaded'],
    handler: notCalled,
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/v1/auth/register/:registrationId/verify',
    operationId: 'verify',
    params: registrationParams,
    body: verifyRequest,
    responses: { 201: { description: 'Done', schema: verifiedResponse } },
    errors: ['invalid_code', 'too_many_attempts', 'registration_not_found'],
    handler: notCalled,
  }),
  defineRoute({
    ...base,
    method: 'post',
    path: '/v1/auth/login',
    operationId: 'login',
    auth: 'bearer',
    query: z.strictObject({ limit: z.coerce.number().int().optional() }),
    body: loginRequest,
    responses: { 204: { description: 'Done' } },
    errors: ['invalid_credentials'],
    handler: notCalled,
  }),
  ...createHealthRoutes(createReadiness({}, { timeoutMs: 1 })),
];
/** As clients get it; what is in it is what the tests look at. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
let document: Record<string, any>;
beforeAll(async () => {
  const limit = { windowSeconds: 60, address: 7 };
  const limits = { credentials: limit, registration: limit, session: limit, read: limit, admin: limit };
  const info = { title: 'Test', version: '1.0.0', publicUrl: 'https://auth.meqenet.et', maxBodyBytes: 4_711, limits };
  document = JSON.parse(JSON.stringify(await createOpenApiDocument(routes, info)));
});

/** An ES module only, and with JSON imports, which Jest cannot load: hence in a process of its own. */
const validate = async (value: unknown): Promise<{ valid: boolean; errors?: unknown }> => {
  const { execFileSync } = await import('node:child_process');
  const program = `
    import { Validator } from '@seriousme/openapi-schema-validator';
    let text = ''; for await (const chunk of process.stdin) text += chunk;
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(text));
    console.log(JSON.stringify({ valid, errors, version: validator.version }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    input: JSON.stringify(value),
  });
  return JSON.parse(output.toString()) as { valid: boolean };
};

const keysOf = (value: unknown): string[] => Object.keys(value as object);

describe('the OpenAPI document', () => {
  test('is valid by the official 3.1 schema', async () => {
    expect(await validate(document)).toEqual({ valid: true, version: '3.1' });
  });
  test('has an operation for each route', () => {
    expect(keysOf(document.paths)).toEqual([
      '/v1/auth/register',
      '/v1/auth/register/{registrationId}/verify',
      '/v1/auth/login',
      '/healthz',
      '/readyz',
    ]);
  });
  test('declares every answer, those of the guard included', () => {
    const { responses } = document.paths['/v1/auth/register/{registrationId}/verify'].post;
    expect(keysOf(responses).map(Number)).toEqual([201, 400, 404, 408, 409, 413, 415, 422, 429, 500, 503]);
    expect(keysOf(responses['400'].content['application/problem+json'].examples)).toEqual([
      'invalid_idempotency_key',
      'validation_failed',
      'malformed_json',
    ]);
    expect(keysOf(responses['429'].headers)).toContain('Retry-After');
    expect(keysOf(document.paths['/readyz'].get.responses['503'].content)).toEqual([
      'application/json',
      'application/problem+json',
    ]);
  });
  test('offers an Idempotency-Key on whatever changes something, and nowhere else', () => {
    const { parameters, responses } = document.paths['/v1/auth/register'].post;
    const keys = (parameters as { name?: string; schema: { pattern: string } }[]).filter(
      ({ name }) => name === 'Idempotency-Key',
    );
    expect(keys).toEqual([expect.objectContaining({ in: 'header' })]);
    expect(keys[0]).not.toHaveProperty('required', true);
    expect('8e03978e-40d5-43dd-bc93-6894a57f9324').toMatch(new RegExp(keys[0]!.schema.pattern));
    expect(keysOf(responses['202'].headers)).toContain('Idempotency-Replayed');
    expect(keysOf(responses['409'].headers)).toEqual(expect.arrayContaining(['Idempotency-Replayed', 'Retry-After']));
    expect(keysOf(responses['422'].content['application/problem+json'].examples)).toContain('idempotency_key_reused');
    expect(keysOf(responses['503'].headers)).not.toContain('Idempotency-Replayed');
    expect(document.paths['/healthz'].get.parameters).toEqual([
      { $ref: '#/components/parameters/acceptLanguage' },
      { $ref: '#/components/parameters/requestId' },
    ]);
    expect(keysOf(document.paths['/healthz'].get.responses)).not.toContain('409');
  });
  test('says who may call', () => {
    const { post } = document.paths['/v1/auth/login'];
    expect(post.security).toEqual([{ bearer: [] }]);
    expect(keysOf(post.responses['401'].headers)).toContain('WWW-Authenticate');
    expect(document.paths['/v1/auth/register'].post.security).toEqual([]);
  });
  test('says what an operation is limited as, and how large its body may be', () => {
    const { post } = document.paths['/v1/auth/register'];
    expect(post['x-rate-limit']).toEqual({ class: 'credentials', windowSeconds: 60, quotas: { address: 7 } });
    expect(post.description).toContain('a minute 7 for each address');
    expect(post['x-max-body-bytes']).toBe(4_711);
    expect(document.paths['/healthz'].get).not.toHaveProperty('x-rate-limit');
  });
  test('has an example of every body, and of every code once', () => {
    const { post } = document.paths['/v1/auth/login'];
    expect(keysOf(post.requestBody.content['application/json'].examples)).toEqual(['by_e_mail_address', 'by_phone']);
    expect(document.paths['/v1/auth/register'].post.requestBody.content['application/json'].example).toMatchObject({
      email: 'abebe@example.et',
      consents: [{ purpose: 'marketing', version: '2026-01' }],
    });
    expect(post.responses['401'].content['application/problem+json'].examples.invalid_credentials).toEqual({
      $ref: '#/components/examples/invalid_credentials',
    });
    expect(document.components.examples.invalid_credentials.value).toMatchObject({ status: 401 });
  });
  test('problems share one schema that lists every code', () => {
    expect(document.components.schemas.Problem.properties.code.enum).toContain('registration_expired');
    expect(document.paths['/healthz'].get.responses['500'].content['application/problem+json'].schema).toEqual({
      $ref: '#/components/schemas/Problem',
    });
  });
  test('unknown fields are refused, and it says so', () => {
    expect(document.paths['/v1/auth/register'].post.requestBody.content['application/json'].schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['email', 'password'],
    });
  });
});
