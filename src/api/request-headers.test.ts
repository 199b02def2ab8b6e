import { Agent, request } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';

import { type Served, serveApp } from '../../test/support/serve-app';
import { IDEMPOTENCY_KEY_PATTERN } from '../contracts/idempotency';
import { problemSchema } from './problem';
import { defineRoute } from './route';

const RUNS = { numRuns: 200 };
const answer = z.object({ ip: z.string(), token: z.boolean() });
const common = {
  tags: ['Users'],
  summary: 'A test',
  errors: [],
  responses: { 200: { description: 'What was seen', schema: answer } },
} as const;
const routes = [
  defineRoute({
    ...common,
    method: 'get',
    path: '/v1/mine',
    operationId: 'getMine',
    auth: 'bearer',
    handler: async ({ ip }) => ({ status: 200, body: { ip, token: true } }),
  }),
  defineRoute({
    ...common,
    method: 'post',
    path: '/v1/ours',
    operationId: 'postOurs',
    auth: 'none',
    body: z.strictObject({ a: z.literal(1) }),
    handler: async ({ ip }) => ({ status: 200, body: { ip, token: false } }),
  }),
];

let direct: Served;
/** Behind one proxy that appends to `X-Forwarded-For`. */
let proxied: Served;
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  const config = { maxBodyBytes: 1_024, requestTimeoutMs: 2_000, corsOrigins: [] };
  direct = await serveApp(routes, { config });
  proxied = await serveApp(routes, { config: { ...config, trustedProxyHops: 1 } });
});
afterAll(async () => {
  agent.destroy();
  await direct.close(1_000);
  await proxied.close(1_000);
});

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** Sends headers as they are; `fetch` would tidy them. */
const send = ({ origin }: Served, path: string, headers: Record<string, string>, body?: string): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(`${origin}${path}`, { method, agent, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });

const isProblem = ({ body, status }: Seen): boolean => problemSchema.safeParse(body).data?.status === status;

/** Whatever HTTP lets a header hold (RFC 9110, section 5.5), and what the parsers of these headers look for. */
const byte = fc
  .integer({ min: 0x20, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code));
const headerValue = fc.oneof(
  fc.string({ unit: byte, maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      'Bearer',
      ' ',
      'good',
      'am',
      'en',
      ';q=',
      '0',
      '.',
      ',',
      '*',
      '-',
      '=',
      '"',
      'application/json',
      '/',
      '127.0.0.1',
      ':',
      '::',
    ),
    maxLength: 30,
  }),
);

describe('whatever a header holds, it is answered as declared', () => {
  test('Authorization: nobody gets in by another spelling of a token', async () => {
    await fc.assert(
      fc.asyncProperty(headerValue, async (authorization) => {
        const seen = await send(direct, '/v1/mine', { authorization });
        const isGood = /^Bearer +good$/i.test(authorization.trim());
        expect([authorization, seen.status]).toEqual([authorization, isGood ? 200 : 401]);
        if (!isGood)
          expect([isProblem(seen), seen.headers['www-authenticate']]).toEqual([true, 'Bearer error="invalid_token"']);
      }),
      RUNS,
    );
  });
  test('X-Request-Id: taken over where it is sane, replaced where it is not', async () => {
    const anyId = fc.oneof(headerValue, fc.stringMatching(/^[A-Za-z0-9._-]{6,66}$/));
    await fc.assert(
      fc.asyncProperty(anyId, async (id) => {
        const { status, headers } = await send(direct, '/v1/mine', {
          authorization: 'Bearer good',
          'x-request-id': id,
        });
        const isSane = /^[A-Za-z0-9._-]{8,64}$/.test(id.trim());
        expect(status).toBe(200);
        expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{8,64}$/);
        expect(headers['x-request-id'] === id.trim()).toBe(isSane);
      }),
      RUNS,
    );
  });
  test('Accept-Language: problems are in a language that there is', async () => {
    await fc.assert(
      fc.asyncProperty(headerValue, async (languages) => {
        const seen = await send(direct, '/v1/mine', { 'accept-language': languages });
        expect([seen.status, isProblem(seen)]).toEqual([401, true]);
        expect(['en', 'am']).toContain(seen.headers['content-language']);
      }),
      RUNS,
    );
  });
  test('Content-Type: JSON is read, anything else is 415', async () => {
    const spelled = fc
      .tuple(
        fc.constantFrom('application/json', 'Application/JSON'),
        fc.constantFrom('', ';charset=utf-8', ' ; charset=UTF-8', '; charset="utf-8"'),
      )
      .map(([type, charset]) => ({ type: type + charset, isJson: true }));
    const other = headerValue.filter((type) => !/json/i.test(type)).map((type) => ({ type, isJson: false }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spelled, other), async ({ type, isJson }) => {
        const seen = await send(direct, '/v1/ours', { 'content-type': type }, '{"a":1}');
        expect([type, seen.status]).toEqual([type, isJson ? 200 : 415]);
      }),
      RUNS,
    );
  });
  test('X-Forwarded-For: ignored without a proxy; of a proxy only what it has appended counts', async () => {
    await fc.assert(
      fc.asyncProperty(headerValue, fc.ipV4(), async (claimed, appended) => {
        const authorization = 'Bearer good';
        const alone = await send(direct, '/v1/mine', { authorization, 'x-forwarded-for': claimed });
        expect(alone.body).toMatchObject({ ip: '127.0.0.1' });
        const forwarded = `${claimed}, ${appended}`;
        const behind = await send(proxied, '/v1/mine', { authorization, 'x-forwarded-for': forwarded });
        expect(behind.body).toMatchObject({ ip: appended });
      }),
      RUNS,
    );
  });
});

describe('an Idempotency-Key', () => {
  test('is the same bare and as the quoted string of the draft', () => {
    const key = fc.stringMatching(/^[!#-+\--[\]-~]{16,255}$/);
    fc.assert(
      fc.property(key, (text) => {
        expect(IDEMPOTENCY_KEY_PATTERN.exec(text)?.[2]).toBe(text);
        expect(IDEMPOTENCY_KEY_PATTERN.exec(`"${text}"`)?.[1]).toBe(text);
        expect(IDEMPOTENCY_KEY_PATTERN.test(`"${text}`)).toBe(false);
      }),
    );
  });
  test('has no blanks, commas, backslashes, control or other characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const found = IDEMPOTENCY_KEY_PATTERN.exec(text);
        const key = found?.[1] ?? found?.[2];
        if (key !== undefined) expect(key).toMatch(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{16,255}$/);
      }),
    );
  });
});
