import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { CALLER, type Served, serveApp } from '../../test/support/serve-app';
import { AppError } from '../contracts/errors';
import { cleanText } from '../contracts/text';
import { defineRoute } from './route';

const base = { tags: ['test'], summary: 'A test', errors: [] } as const;
const noteBody = z.strictObject({
  text: cleanText(100),
  email: z.email().optional(),
  list: z.array(z.string()).optional(),
});

const routes = [
  defineRoute({
    ...base,
    method: 'post',
    path: '/v1/notes',
    operationId: 'createNote',
    auth: 'none',
    body: noteBody,
    responses: { 201: { description: 'Made', schema: z.object({ text: z.string() }) } },
    // `secret` is not declared and must not leave.
    handler: async ({ body }) => {
      const answer = { text: body.text, secret: 'hidden' };
      return { status: 201, body: answer, headers: { 'X-Note': 'made' } };
    },
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/v1/notes/:noteId',
    operationId: 'getNote',
    auth: 'bearer',
    params: z.strictObject({ noteId: z.uuid() }),
    query: z.strictObject({ limit: z.coerce.number().int().max(10).default(5) }),
    responses: {
      200: { description: 'It', schema: z.object({ userId: z.string(), noteId: z.string(), limit: z.int() }) },
    },
    handler: async ({ params, query, caller }) => ({
      status: 200,
      body: { userId: caller.userId, noteId: params.noteId, limit: query.limit },
    }),
  }),
  defineRoute({
    ...base,
    method: 'delete',
    path: '/v1/notes/:noteId',
    operationId: 'deleteNote',
    auth: 'none',
    responses: { 202: { description: 'Accepted' }, 204: { description: 'Gone' } },
    handler: async ({ headers }) => (headers.idempotencyKey === 'later' ? { status: 202 } : { status: 204 }),
  }),
  defineRoute({
    ...base,
    method: 'get',
    path: '/v1/broken/:kind',
    operationId: 'break',
    auth: 'none',
    params: z.strictObject({ kind: z.string() }),
    errors: ['overloaded', 'account_locked'],
    responses: { 200: { description: 'Never', schema: z.object({ a: z.string() }) } },
    handler: async ({ params }) => {
      if (params.kind === 'answer') return { status: 200, body: { a: 1 } as never };
      if (params.kind === 'status') return { status: 299 } as never;
      if (params.kind === 'busy') throw new AppError('overloaded', { retryAfterSeconds: 1.2 });
      if (params.kind === 'locked') throw new AppError('account_locked');
      if (params.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
      throw new Error('SELECT failed for abebe@example.et');
    },
  }),
];

let served: Served;
beforeAll(async () => {
  served = await serveApp(routes);
});
afterAll(() => served.close(1_000));

const post = (body: RequestInit['body'], headers: Record<string, string> = {}, path = '/v1/notes') =>
  fetch(served.origin + path, {
    method: 'POST',
    body: body ?? null,
    headers: { 'content-type': 'application/json', ...headers },
  });
const get = (path: string, headers: Record<string, string> = {}) => fetch(served.origin + path, { headers });
const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const problem = (await response.json()) as { code: string; status: number; requestId: string; errors?: unknown };
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get('x-request-id'));
  return problem;
};
const expectProblem = async (response: Response, status: number, code: string) => {
  expect(response.status).toBe(status);
  expect(await problemOf(response)).toMatchObject({ code, type: `urn:meqenet:problem:${code}` });
};

describe('answers', () => {
  test('only declared fields leave', async () => {
    const response = await post('{"text":"hello"}');
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ text: 'hello' });
    expect(response.headers.get('x-note')).toBe('made');
    expect(response.headers.get('content-type')).toBe('application/json');
  });
  test.each([['answer'], ['status'], ['other']])(
    'what is not declared becomes 500 and tells nothing: %s',
    async (kind) => {
      const response = await get(`/v1/broken/${kind}`);
      const text = await response.clone().text();
      await expectProblem(response, 500, 'internal_error');
      expect(text).not.toMatch(/SELECT|abebe|schema|declare/);
    },
  );
  test('the line of a request names the trace that its caller names, and no other', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const lineOf = async (requestId: string, traceparent: string) => {
      await get('/v1/broken/other', { 'x-request-id': requestId, traceparent });
      return served.lines.find((entry) => entry['requestId'] === requestId && entry['msg'] === 'request');
    };
    expect(await lineOf('with-a-trace', `00-${traceId}-00f067aa0ba902b7-01`)).toMatchObject({ traceId });
    expect(await lineOf('with-nonsense', '00-zz')).not.toHaveProperty('traceId');
  });
  test('a failure is logged with its stack, without addresses', async () => {
    await get('/v1/broken/other', { 'x-request-id': 'find-me-1' });
    const line = served.lines.find((entry) => entry['requestId'] === 'find-me-1' && entry['level'] === 'error');
    expect(line).toMatchObject({ err: { message: 'SELECT failed for [email]' } });
    expect((line?.['err'] as { stack: string[] }).stack.length).toBeGreaterThan(0);
  });
  test('202 and 204 without a body keep the connection', async () => {
    const accepted = await fetch(`${served.origin}/v1/notes/1`, {
      method: 'DELETE',
      headers: { 'idempotency-key': 'later' },
    });
    expect([accepted.status, await accepted.text(), accepted.headers.get('content-type')]).toEqual([202, '', null]);
    expect(accepted.headers.get('connection')).toBe('keep-alive');
    const gone = await fetch(`${served.origin}/v1/notes/1`, { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
  });
  test('Retry-After is whole seconds', async () => {
    const response = await get('/v1/broken/busy');
    expect(response.headers.get('retry-after')).toBe('2');
    await expectProblem(response, 503, 'overloaded');
  });
  test('detail follows Accept-Language, code does not', async () => {
    const response = await get('/v1/broken/locked', { 'accept-language': 'am-ET, en;q=0.5' });
    expect(response.headers.get('content-language')).toBe('am');
    expect(await problemOf(response)).toMatchObject({ code: 'account_locked', detail: 'መለያው ተቆልፏል።' });
  });
  test('a handler that takes too long is answered with 503', async () => {
    const response = await get('/v1/broken/slow');
    expect(response.headers.get('retry-after')).toBe('1');
    await expectProblem(response, 503, 'service_unavailable');
  });
});

describe('validation', () => {
  const id = CALLER.userId;
  test('names every field and never the value', async () => {
    const response = await post('{"text":7,"email":"s3cret-value","list":["a",1],"extra/~":1}');
    const problem = await problemOf(response);
    expect(problem.errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: '/text', code: 'invalid_type' }),
        expect.objectContaining({ path: '/email', code: 'invalid_format' }),
        expect.objectContaining({ path: '/list/1', code: 'invalid_type' }),
        expect.objectContaining({ path: '/extra~1~0', code: 'unrecognized_key' }),
      ]),
    );
    expect(JSON.stringify(problem)).not.toContain('s3cret-value');
  });
  test('thousands of unknown fields give a short answer', async () => {
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 4_000 }, (_, index) => [`k${index}`, 1])));
    const problem = await problemOf(await post(body));
    expect(problem.errors).toHaveLength(20);
  });
  test.each([
    ['NUL', '{"text":"a\\u0000b"}'],
    ['a lone surrogate', '{"text":"a\\ud800b"}'],
    ['an array for an object', '[]'],
    ['null', 'null'],
  ])('%s is refused', async (_name, body) => expectProblem(await post(body), 400, 'validation_failed'));
  test('path and query parameters are parsed', async () => {
    const response = await get(`/v1/notes/${id}?limit=7`, { authorization: 'Bearer good' });
    expect(await response.json()).toEqual({ userId: id, noteId: id, limit: 7 });
  });
  test.each([
    ['/v1/notes/abc', 'noteId'],
    [`/v1/notes/${id}?limit=99`, 'limit'],
    [`/v1/notes/${id}?limit=1&limit=2`, 'limit'],
    [`/v1/notes/${id}?other=1`, 'other'],
    [`/v1/notes/${id}?__proto__=1`, '__proto__'],
    ['/v1/notes/%00', 'noteId'],
  ])('%s is refused', async (path, name) => {
    const problem = await problemOf(await get(path, { authorization: 'bearer good' }));
    expect(problem).toMatchObject({ code: 'validation_failed', errors: [{ path: name }] });
  });
});

describe('authentication', () => {
  test.each([[undefined], ['Bearer'], ['Basic good'], ['Bearer bad'], ['Bearer good extra'], ['Bearer a,b'], ['good']])(
    'Authorization: %s is refused',
    async (authorization) => {
      const response = await get('/v1/notes/abc', authorization === undefined ? {} : { authorization });
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      await expectProblem(response, 401, 'invalid_token');
    },
  );
});

describe('routing', () => {
  test.each([['/'], ['/v1'], ['/v1/notes/'], ['/v1/notes/%zz'], ['/v1/notes/%c0%ae'], ['//'], ['/v1/NOTES/x']])(
    '%s is not found',
    async (path) => expectProblem(await get(path, { authorization: 'Bearer good' }), 404, 'not_found'),
  );
  test('a wrong method is answered with Allow', async () => {
    const response = await fetch(`${served.origin}/v1/notes`, { method: 'PUT' });
    expect(response.headers.get('allow')).toBe('POST, OPTIONS');
    await expectProblem(response, 405, 'method_not_allowed');
    expect((await fetch(`${served.origin}/v1/notes/1`, { method: 'PROPFIND' })).status).toBe(405);
    expect((await fetch(`${served.origin}/nowhere`, { method: 'PROPFIND' })).status).toBe(404);
  });
  test('OPTIONS tells the methods, HEAD is GET without the body', async () => {
    const options = await fetch(`${served.origin}/v1/notes/1`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, DELETE, HEAD, OPTIONS']);
    const head = await fetch(`${served.origin}/healthz`, { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '18']);
  });
  test('the query is in no problem, log or label', async () => {
    await get('/nowhere?code=123456', { 'x-request-id': 'query-test-1' });
    expect(JSON.stringify(served.lines)).not.toContain('123456');
    expect(await (await get('/metrics')).text()).not.toContain('nowhere');
    expect(await (await get('/nowhere?code=123456')).text()).not.toContain('123456');
  });
});

describe('headers of every answer', () => {
  test.each([['/healthz'], ['/nowhere'], ['/metrics']])('%s', async (path) => {
    const { headers } = await get(path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toContain('max-age=');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
  test('a sane request id is taken over, another one is not', async () => {
    expect((await get('/healthz', { 'x-request-id': 'trace_01.a-b' })).headers.get('x-request-id')).toBe(
      'trace_01.a-b',
    );
    expect((await get('/healthz', { 'x-request-id': 'a b;c{}d<>e' })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });
});

describe('CORS', () => {
  const preflight = (origin: string) =>
    fetch(`${served.origin}/v1/notes`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  test('a configured origin may call', async () => {
    const { status, headers } = await preflight('https://app.meqenet.et');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.meqenet.et');
    expect(headers.get('access-control-max-age')).toBe('7200');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    const actual = await get('/nowhere', { origin: 'https://app.meqenet.et' });
    expect(actual.headers.get('access-control-expose-headers')).toContain('Retry-After');
  });
  test.each([['https://evil.example'], ['null'], ['https://app.meqenet.et.evil.example']])(
    '%s may not',
    async (origin) => {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
      expect((await get('/healthz', { origin })).headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});

describe('bodies', () => {
  test.each([
    ['application/json; charset=utf-8', 201],
    ['Application/JSON;Charset="UTF-8"', 201],
    ['application/json; charset=latin1', 415],
    ['text/plain', 415],
    ['application/json-patch+json', 415],
    ['', 415],
  ])('Content-Type %s', async (type, status) => {
    const response = await post(Buffer.from('{"text":"a"}'), { 'content-type': type });
    expect(response.status).toBe(status);
  });
  test('a compressed body is refused', async () => {
    await expectProblem(await post('{}', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
  });
  test.each([
    ['cut off', '{"text":'],
    ['single quotes', "{'text':1}"],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['blank', '   '],
    ['__proto__', '{"text":"a","__proto__":{"x":1}}'],
    ['escaped __proto__', '{"text":"a","list":[{"\\u005f_proto__":{}}]}'],
    ['arrays 30,000 deep', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['objects 10,000 deep', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
  ])('%s is malformed', async (_name, body) => expectProblem(await post(body), 400, 'malformed_json'));
  test('no body where one is needed', async () => expectProblem(await post(null), 400, 'validation_failed'));
  test('of a key that occurs twice the last one counts', async () => {
    expect(await (await post('{"text":"a","text":"b"}')).json()).toEqual({ text: 'b' });
  });
  test('exactly the limit is accepted for reading, one byte more is not', async () => {
    const fill = (bytes: number) => `{"text":"${'a'.repeat(bytes - 11)}"}`;
    await expectProblem(await post(fill(65_536)), 400, 'validation_failed');
    await expectProblem(await post(fill(65_537)), 413, 'payload_too_large');
  });
  test.each([[1], [2], [3]])('10 MB is refused and the client reads the answer (%i)', async () => {
    await expectProblem(await post(Buffer.alloc(10_000_000, 'a')), 413, 'payload_too_large');
  });
  test('10 MB in chunks of unknown number as well', async () => {
    const body = new ReadableStream({
      start: (controller) => {
        for (let index = 0; index < 100; index += 1) controller.enqueue(Buffer.alloc(100_000, 'a'));
        controller.close();
      },
    });
    const response = await fetch(`${served.origin}/v1/notes`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    });
    await expectProblem(response, 413, 'payload_too_large');
  });
  test('the answer to a large body comes before the body has been sent', async () => {
    const answer = await served.raw(
      'POST /v1/notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{"text"',
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 .*"code":"payload_too_large"/s);
  });
  test('Expect: 100-continue is not granted to a large body, and is to a small one', async () => {
    const head = 'POST /v1/notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n';
    expect(await served.raw(`${head}Content-Length: 10000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 413/);
    const small = await served.raw(`${head}Content-Length: 12\r\n\r\n{"text":"a"}`);
    expect(small).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201/);
  });
  test('a body on GET is ignored', async () => {
    const answer = await served.raw(
      'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n{"a":',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200/);
  });
});
