import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { compressionAlgorithms, status } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { type GrpcAnswer, grpcClientOf, messageOf, stackToken, useGrpcClient } from '../support/grpc-client';
import { holdTable, someoneWaits } from '../support/hold';
import { newPerson, signUp } from '../support/people';
import { useTestService } from '../support/service';

const service = useTestService({
  env: {
    RATE_LIMIT_MODE: 'enforce',
    // So that a test can come from wherever it likes, over HTTP as well.
    TRUSTED_PROXY_HOPS: '1',
    RATE_LIMIT_CREDENTIALS: 'account=6,address=20,range=100,caller=10,window=1m',
    RATE_LIMIT_REGISTRATION: 'account=5,address=4,range=100,window=1m',
    RATE_LIMIT_REDIS_TIMEOUT: '10s',
    LOCKOUT_FREE_FAILURES: '50',
    REQUEST_TIMEOUT: '4s',
  },
});
const grpc = useGrpcClient(service);
const from = (address: string) => ({ metadata: { 'x-client-address': address } });
const RATE_LIMITED = { code: 'RESOURCE_EXHAUSTED', reason: 'rate_limited' };

describe('rate limits', () => {
  const wrongLogin = (address: string, email: string) =>
    grpc.call(
      'authenticateUser',
      { identifier: { $case: 'email', value: email }, password: randomUUID() },
      from(address),
    );

  it('of an address hold over both doors, and say when to come again', async () => {
    const address = '198.51.100.1';
    for (let count = 0; count < 2; count += 1) {
      expect(await grpc.call('registerUser', newPerson(), from(address))).toMatchObject({ code: 'OK' });
      const headers = { 'x-forwarded-for': address };
      expect((await service.http.post('/v1/auth/register', newPerson(), { headers })).status).toBe(202);
    }
    const refused = await grpc.call('registerUser', newPerson(), from(address));
    expect(refused).toMatchObject(RATE_LIMITED);
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
    const http = await service.http.post('/v1/auth/register', newPerson(), { headers: { 'x-forwarded-for': address } });
    expect(http.status).toBe(429);
    expect(await grpc.call('registerUser', newPerson(), from('198.51.100.2'))).toMatchObject({ code: 'OK' });
  });

  it('stand behind every answer that was counted, as over HTTP', async () => {
    const address = '198.51.100.3';
    const limitsOf = ({ trailers }: GrpcAnswer<unknown>) =>
      ['ratelimit-policy', 'ratelimit', 'retry-after'].map((name) => trailers.get(name).join());
    const counted = (left: number) => ['"address";q=4;w=60', expect.stringMatching(`^"address";r=${left};t=\\d+$`)];

    const good = await grpc.call('registerUser', newPerson(), from(address));
    expect([good.code, ...limitsOf(good)]).toEqual(['OK', ...counted(3), '']);
    const wrong = await grpc.call('registerUser', {}, from(address));
    expect([wrong.reason, ...limitsOf(wrong)]).toEqual(['validation_failed', ...counted(2), '']);
    const { headers } = await service.http.post('/v1/auth/register', {}, { headers: { 'x-forwarded-for': address } });
    expect([headers.get('ratelimit-policy'), headers.get('ratelimit')]).toEqual(counted(1));
    await grpc.call('registerUser', {}, from(address));
    const refused = await grpc.call('registerUser', {}, from(address));
    const seconds = String((refused.retryAfterMs ?? 0) / 1_000);
    expect([refused.reason, ...limitsOf(refused)]).toEqual(['rate_limited', ...counted(0), seconds]);

    // What is not counted says nothing.
    expect(limitsOf(await grpc.call('validateToken'))).toEqual(['', '', '']);
    const stranger = await grpc.call('registerUser', newPerson(), { ...from(address), serviceToken: null });
    expect([stranger.reason, ...limitsOf(stranger)]).toEqual(['invalid_service_token', '', '', '']);
  });

  it('of an account hold wherever its guessers come from', async () => {
    const { email } = newPerson();
    const codes: unknown[] = [];
    for (let count = 1; count <= 7; count += 1)
      codes.push((await wrongLogin(`203.0.113.${String(count)}`, email)).reason);
    expect(codes).toEqual([...Array.from({ length: 6 }, () => 'invalid_credentials'), 'rate_limited']);
    const headers = { 'x-forwarded-for': '203.0.113.99' };
    expect((await service.http.post('/v1/auth/login', { email, password: 'x' }, { headers })).status).toBe(429);
  });

  it('are not of the service that calls: it validates as often as it likes', async () => {
    for (let count = 0; count < 10; count += 1)
      await Promise.all(Array.from({ length: 100 }, () => grpc.call('validateToken').then(messageOf)));
  });
});

it('calls are counted by method, code and caller', async () => {
  await grpc.call('refreshToken', { refreshToken: 'x' });
  const metrics = await (await fetch(`${service.apiUrl}/metrics`)).text();
  expect(metrics).toMatch(/grpc_server_handling_seconds_count\{method="RefreshToken",code="INVALID_ARGUMENT"\} [1-9]/);
  expect(metrics).toMatch(/grpc_server_calls_total\{method="RefreshToken",caller="stack"\} [1-9]/);
});

describe('time', () => {
  let refreshToken = '';
  let accessToken = '';
  beforeAll(async () => {
    ({ refreshToken, accessToken } = (await signUp(service, newPerson())).body as Record<string, string> as never);
  });

  it('of a caller is kept: DEADLINE_EXCEEDED when it is over', async () => {
    const hold = await holdTable(service, 'sessions', true);
    try {
      const begin = performance.now();
      const answer = await grpc.call('getUser', { accessToken }, { timeoutMs: 300 });
      expect(answer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      expect(performance.now() - begin).toBeLessThan(2_100);
    } finally {
      await hold.release();
    }
    await eventually('the log to tell', () => {
      const log = readFileSync(join(service.stack.logDir, 'api.log'), 'utf8').split('\n');
      return Promise.resolve(log.some((line) => line.includes('"GetUser"') && line.includes('"DEADLINE_EXCEEDED"')));
    });
    expect(await grpc.call('getUser', { accessToken })).toMatchObject({ code: 'OK' });
  });

  it('that is over before a call has begun: what it asks for is not done', async () => {
    const { pid = 0 } = service.stack.valkey ?? {};
    // Whoever logs out is counted first.
    process.kill(pid, 'SIGSTOP');
    try {
      const answer = await grpc.call('logoutUser', { accessToken }, { timeoutMs: 300 });
      expect(answer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      // The server must hear of it before the answer of Redis.
      await sleep(200);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually('its end', async () => {
      const metrics = await (await fetch(`${service.apiUrl}/metrics`)).text();
      return metrics.includes('grpc_server_handling_seconds_count{method="LogoutUser",code="DEADLINE_EXCEEDED"} 1');
    });
    expect(messageOf(await grpc.call('validateToken', { accessToken }))).toMatchObject({ valid: true });
  });

  it('of the server ends what takes too long, where the caller sets no deadline of its own', async () => {
    const hold = await holdTable(service, 'sessions', true);
    try {
      const answer = await grpc.call('getUser', { accessToken }, { timeoutMs: 20_000 });
      expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain(answer.code);
      expect(answer.reason).toMatch(/^(service_unavailable|request_timeout)$/);
    } finally {
      await hold.release();
    }
    expect(await grpc.call('getUser', { accessToken })).toMatchObject({ code: 'OK' });
  });

  it('of a call that is cancelled is not waited for, and what it began may be asked for again under its key', async () => {
    const metadata = { 'idempotency-key': randomUUID() };
    const controller = new AbortController();
    const hold = await holdTable(service, 'refresh_tokens');
    try {
      const call = grpc.call('refreshToken', { refreshToken }, { metadata, signal: controller.signal });
      await someoneWaits(service, 'refresh_tokens');
      controller.abort();
      expect(await call).toMatchObject({ code: 'CANCELLED' });
      expect(await grpc.call('refreshToken', { refreshToken }, { metadata })).toMatchObject({
        ...{ code: 'ABORTED', reason: 'idempotency_in_flight', retryAfterMs: 1_000 },
      });
    } finally {
      await hold.release();
    }
    for (;;) {
      const answer = await grpc.call('refreshToken', { refreshToken }, { metadata });
      if (answer.code === 'ABORTED') continue;
      expect(messageOf(answer).tokens?.refreshToken).toMatch(/./);
      expect(answer.headers.get('idempotency-replayed')).toEqual(['true']);
      return;
    }
  });
});

describe('sizes', () => {
  const goesOn = async () => expect(await grpc.call('validateToken')).toMatchObject({ code: 'OK' });

  it('of messages: 64 KiB, no more', async () => {
    expect(await grpc.call('validateToken', { accessToken: 'x'.repeat(65_000) })).toMatchObject({ code: 'OK' });
    expect(await grpc.call('validateToken', { accessToken: 'x'.repeat(70_000) })).toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', message: undefined },
    });
    expect(await grpc.call('validateToken', { accessToken: 'x'.repeat(3_000_000) })).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    await goesOn();
  });

  it('of messages that are compressed: what they become counts', async () => {
    const compressing = grpcClientOf(service, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    expect(await compressing.call('validateToken', { accessToken: 'x'.repeat(10_000) })).toMatchObject({ code: 'OK' });
    const bomb = await compressing.call('validateToken', { accessToken: 'x'.repeat(50_000_000) });
    expect(bomb).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(gzipSync(Buffer.alloc(50_000_000, 'x')).length).toBeLessThan(65_536);
    compressing.close();
    await goesOn();
  });

  it('of metadata: a call with too much of it is refused, and the others go on', async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`x-${String(index)}`, 'x'.repeat(4_000)]),
    );
    const client = grpcClientOf(service);
    const answer = await client.call('validateToken', {}, { metadata, timeoutMs: 5_000 });
    expect(answer.code).not.toBe('OK');
    client.close();
    await goesOn();
  });
});

describe('what is no call of ours', () => {
  it.each([
    '/auth.v1.AuthService/DropTables',
    '/auth.v1.AuthService/',
    '/auth.v2.AuthService/ValidateToken',
    '/auth.v1.AuthService/validateToken',
    '/auth.v1.AuthService/ValidateToken/',
    '/auth.v1.AuthService/__proto__',
    '/../auth.v1.AuthService/ValidateToken',
    '/constructor',
  ])('%s: UNIMPLEMENTED', async (path) => {
    expect(await grpc.raw(path, Buffer.alloc(0))).toMatchObject({ code: 'UNIMPLEMENTED' });
  });

  it.each([
    ['random bytes', Buffer.from('ffffffffffffffff', 'hex')],
    ['a length beyond the end', Buffer.from('0a7f41', 'hex')],
  ])('%s: INVALID_ARGUMENT', async (_, bytes) => {
    for (const name of ['ValidateToken', 'RegisterUser', 'AuthenticateUser'])
      expect(await grpc.raw(`/auth.v1.AuthService/${name}`, bytes)).toMatchObject({
        ...{ code: 'INVALID_ARGUMENT', reason: 'malformed_message', localized: { locale: 'en' } },
      });
    // Who calls comes before what is wrong with the call.
    const stranger = await grpc.raw('/auth.v1.AuthService/ValidateToken', bytes, { serviceToken: null });
    expect(stranger).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'invalid_service_token' });
  });

  /** What comes of an HTTP/2 request that no client of gRPC would make: its status, or that of the call. */
  const ask = async (headers: Readonly<Record<string, string>>, body = Buffer.alloc(5)): Promise<string> => {
    const session = connect(`http://${service.grpcAddress}`);
    try {
      return await new Promise<string>((resolve, reject) => {
        const request = session.request({
          ...{ ':method': 'POST', ':path': '/auth.v1.AuthService/ValidateToken', 'content-type': 'application/grpc' },
          ...{ te: 'trailers', authorization: `Bearer ${stackToken(service)}`, ...headers },
        });
        const tell = (answer: IncomingHttpHeaders): void => {
          const code = answer['grpc-status'];
          if (code !== undefined) resolve(status[Number(code)] ?? '');
        };
        request.once('response', (answer) => {
          tell(answer);
          if (answer[':status'] !== 200) resolve(String(answer[':status']));
        });
        request.once('trailers', tell);
        request.once('error', reject);
        request.resume();
        if (body.length > 0) request.write(body);
        request.end();
      });
    } finally {
      session.close();
    }
  };

  it('a method or media type of HTTP is refused', async () => {
    expect(await ask({})).toBe('OK');
    expect(await ask({ 'content-type': 'application/json' })).toBe('415');
    expect(await ask({ ':method': 'GET', 'content-type': '' }, Buffer.alloc(0))).toBe('415');
  });

  /** A message of five bytes that is said to be compressed. */
  const COMPRESSED = Buffer.from([1, 0, 0, 0, 5, ...Buffer.from('nogzi')]);
  it.each([
    ['what is said to be gzip and is not', { 'grpc-encoding': 'gzip' }, COMPRESSED, 'INTERNAL'],
    ['a compression that is not known', { 'grpc-encoding': 'br' }, COMPRESSED, 'UNIMPLEMENTED'],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }, undefined, 'INTERNAL'],
  ])('%s is refused by grpc-js, and the others go on', async (_, headers, body, code) => {
    expect(await ask(headers as unknown as Record<string, string>, body)).toBe(code);
    expect(await ask({})).toBe('OK');
  });
});
