import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createHttpSmsProvider } from './http-provider';

interface Seen {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const NUMBER = '+251911234567';
const SMS = { to: NUMBER, text: '402917 is your code', id: 'a'.repeat(32) };

describe('the HTTP gateway', () => {
  const seen: Seen[] = [];
  let answer: { status: number; headers?: Record<string, string>; body?: string } | 'none' = { status: 202 };
  const gateway = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method, headers: request.headers, body });
      if (answer === 'none') return;
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
  });
  const provider = (timeoutMs = 2_000, path = '/sms') =>
    createHttpSmsProvider({
      url: `http://127.0.0.1:${String((gateway.address() as AddressInfo).port)}${path}`,
      token: 'secret-token',
      timeoutMs,
    });

  beforeEach(async () => {
    seen.length = 0;
    gateway.listen(0, '127.0.0.1');
    await once(gateway, 'listening');
  });
  afterEach(() => {
    gateway.closeAllConnections();
    gateway.close();
  });

  test('gets number and text as JSON, with the token, and the id as Idempotency-Key', async () => {
    answer = { status: 202, body: '{"queued":true}' };
    await provider().send(SMS);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      headers: {
        authorization: 'Bearer secret-token',
        'content-type': 'application/json',
        'idempotency-key': SMS.id,
      },
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ to: SMS.to, text: SMS.text });
  });

  test.each([200, 201, 204])('has accepted with %d', async (status) => {
    answer = { status };
    await expect(provider().send(SMS)).resolves.toBeUndefined();
  });

  test.each([400, 410, 413, 422])('refuses for good with %d, and its words go nowhere', async (status) => {
    answer = { status, body: `{"error":"bad number ${NUMBER}"}` };
    const error = await provider()
      .send(SMS)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SmsRejectedError', permanent: true, code: 'SMS_REJECTED' });
    expect(String(error)).toBe(`SmsRejectedError: The SMS was refused for good (${String(status)})`);
  });

  test.each([401, 403, 404, 408, 429, 500, 502, 503])('is asked again later after %d', async (status) => {
    answer = { status, body: NUMBER };
    const error = await provider()
      .send(SMS)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SmsUnavailableError', permanent: false, reason: String(status) });
    expect(String(error)).not.toContain(NUMBER);
  });

  test('is not followed to another place, which would get token and number', async () => {
    answer = { status: 307, headers: { location: '/elsewhere' } };
    await expect(provider().send(SMS)).rejects.toMatchObject({ name: 'SmsUnavailableError', reason: '307' });
    expect(seen).toHaveLength(1);
  });

  test('that does not answer in time, or is not there, is asked again later', async () => {
    answer = 'none';
    await expect(provider(100).send(SMS)).rejects.toMatchObject({ permanent: false, reason: 'ETIMEDOUT' });
    const nowhere = provider();
    gateway.closeAllConnections();
    gateway.close();
    await expect(nowhere.send(SMS)).rejects.toMatchObject({ permanent: false, reason: 'ECONNREFUSED' });
  });
});
