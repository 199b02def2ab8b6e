import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

import { afterEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { z } from 'zod';

import { serveApp } from '../../test/support/serve-app';
import { defineRoute } from './route';
import { listen } from './server';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Ids of the requests whose handler runs or ran. */
const started = new Set<string>();
const startOf = async (requestId: string) => {
  while (!started.has(requestId)) await wait(5);
};

const waiting = defineRoute({
  method: 'post',
  path: '/v1/wait',
  operationId: 'wait',
  summary: 'Waits',
  tags: ['test'],
  auth: 'none',
  body: z.strictObject({ ms: z.int() }),
  responses: { 200: { description: 'Waited', schema: z.object({ ms: z.int() }) } },
  errors: [],
  handler: async ({ body, requestId }) => {
    started.add(requestId);
    await wait(body.ms);
    return { status: 200, body };
  },
});

const cleanups: (() => Promise<unknown>)[] = [];
const serve = async (config: { requestTimeoutMs: number } = { requestTimeoutMs: 3_000 }, headersTimeoutMs?: number) => {
  const served = await serveApp([waiting], {
    config: { maxBodyBytes: 1_024, corsOrigins: [], ...config },
    ...(headersTimeoutMs !== undefined && { headersTimeoutMs }),
  });
  cleanups.push(() => served.close(0));
  return served;
};
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup().catch(() => undefined)));
});

const callWait = (origin: string, ms: number, requestId: string) =>
  fetch(`${origin}/v1/wait`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': requestId },
    body: JSON.stringify({ ms }),
  });

describe('close', () => {
  test('does not wait for connections on which nothing was asked yet', async () => {
    const served = await serve();
    const socket = connect(Number(new URL(served.origin).port), '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket, 'close');
    // With the headers still to come, node would wait for 10 s.
    await served.close(60_000);
    await ended;
  });

  test('waits for running requests, says Connection: close, and takes no new ones', async () => {
    const served = await serve();
    await fetch(`${served.origin}/healthz`); // Leaves an idle connection behind.
    const running = callWait(served.origin, 400, 'request-1');
    await startOf('request-1');
    const begin = performance.now();
    const closed = served.close(3_000);
    await wait(20);
    await expect(fetch(`${served.origin}/healthz`)).rejects.toThrow();
    const response = await running;
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    expect(await closed).toEqual({ cutOff: 0 });
    expect(performance.now() - begin).toBeLessThan(1_500);
  });
  test('cuts off what outlasts the timeout', async () => {
    const served = await serve();
    const running = callWait(served.origin, 2_500, 'request-2').catch((error: unknown) => error);
    await startOf('request-2');
    const begin = performance.now();
    expect(await served.close(200)).toEqual({ cutOff: 1 });
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(await running).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
  });
  test('while it drains, new requests are answered with Connection: close', async () => {
    const served = await serve();
    const closed = served.close(1_000, { drainMs: 300 });
    const response = await fetch(`${served.origin}/healthz`);
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    expect(await closed).toEqual({ cutOff: 0 });
  });
});

test('a port in use is named with the setting to change', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  cleanups.push(() => new Promise((resolve) => other.close(resolve)));
  const { port } = other.address() as AddressInfo;
  await expect(
    listen(new Koa(), { host: '127.0.0.1', port, requestTimeoutMs: 1_000, portSetting: 'AUTH_SERVICE_PORT' }),
  ).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}: the port is in use; set AUTH_SERVICE_PORT to a free one`);
});

describe('slow and broken clients', () => {
  test('a body that does not come is answered with 408', async () => {
    const served = await serve({ requestTimeoutMs: 300 });
    const answer = await served.raw(
      'POST /v1/wait HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"ms"',
    );
    expect(answer).toMatch(/^HTTP\/1.1 408 .*Connection: close.*"code":"request_timeout"/is);
  });
  test('headers that do not come are answered with 408', async () => {
    const served = await serve({ requestTimeoutMs: 3_000 }, 500);
    expect(await served.raw('GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow')).toMatch(
      /^HTTP\/1.1 408 .*application\/problem\+json.*"code":"request_timeout"/s,
    );
  });
  test.each([
    ['not HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['huge headers', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [
      'two lengths (request smuggling)',
      'POST /v1/wait HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
  ])('%s', async (_name, text, status, code) => {
    const served = await serve();
    const answer = await served.raw(text);
    expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ status, code });
  });
  test('a client that leaves in the middle of its body harms nothing', async () => {
    const served = await serve();
    const controller = new AbortController();
    const body = new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from('{"ms":')) });
    const request = fetch(`${served.origin}/v1/wait`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 100);
    await expect(request).rejects.toThrow();
    await wait(50);
    expect((await fetch(`${served.origin}/healthz`)).status).toBe(200);
    expect(served.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
