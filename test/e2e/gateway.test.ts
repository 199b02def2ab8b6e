import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { openEvents } from '../support/event-reader';
import { eventually } from '../support/eventually';
import { logIn, newPerson, register, mailedCode, signUp, verify } from '../support/people';
import { useTestService, type TestService } from '../support/service';
import { validateOpenApi } from '../support/validate-openapi';
import { throughGateway } from '../support/through-gateway';

const run = promisify(execFile);
const PROBLEM = 'application/problem+json';

interface ApiDocument {
  readonly servers: unknown;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}

/** A POST from another address of this machine. */
const postFrom = (url: string, localAddress: string, headers: Record<string, string>, body: string) =>
  new Promise<{ accessToken: string }>((resolve, reject) => {
    const options = { method: 'POST', localAddress, headers: { 'content-type': 'application/json', ...headers } };
    httpRequest(url, options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(JSON.parse(text) as { accessToken: string }));
    })
      .on('error', reject)
      .end(body);
  });

describe('the gateway', () => {
  const direct = useTestService({ processes: ['api', 'worker', 'consumer', 'gateway'] });
  let service: TestService;
  beforeAll(async () => {
    service = throughGateway(direct);
    await eventually('the merged document', async () => {
      const { status } = await service.http.get('/api/docs/openapi.json');
      return status === 200 || undefined;
    });
  });

  it('was given its own secret and no other one of the service', async () => {
    const { stdout } = await run('ps', ['eww', '-o', 'command=', '-p', String(direct.processes.gateway.pid)]);
    const { GATEWAY_SECRET = '', ...others } = direct.stack.env;
    expect(stdout).toContain(`GATEWAY_SECRET=${GATEWAY_SECRET}`);
    for (const name of ['DATABASE_URL', 'ROOT_KEYS', 'BLIND_INDEX_KEY', 'TOKEN_KEY', 'GRPC_SERVICE_TOKENS']) {
      expect(others[name]).toBeTruthy();
      expect(stdout).not.toContain(others[name]);
    }
  });

  it('carries a registration and a login', async () => {
    const person = newPerson();
    const accepted = await register(service, person);
    expect(accepted.status).toBe(202);
    const { registrationId } = accepted.body as { registrationId: string };
    const verified = await verify(service, registrationId, await mailedCode(service, person.email));
    expect(verified.status).toBe(201);
    const login = await logIn(service, person);
    expect(login.status).toBe(200);
    const token = login.body.accessToken as string;
    const me = await service.http.get('/v1/users/me', { token });
    expect([me.status, me.body.email]).toEqual([200, person.email]);
    expect((await service.http.post('/v1/auth/logout', undefined, { token })).status).toBe(204);
    expect((await service.http.get('/v1/users/me', { token })).body.code).toBe('invalid_token');
  });

  it('answers as the API does where a token is missing or wrong, without asking it', async () => {
    const { accessToken } = (await signUp(service, newPerson())).body as { accessToken: string };
    const [head = '', claims = '', signature = ''] = accessToken.split('.');
    const wrong = [undefined, 'nonsense', `${head}.${claims}.${signature.split('').reverse().join('')}`];
    for (const token of wrong) {
      const options = { ...(token !== undefined && { token }), headers: { 'accept-language': 'am' } };
      const [here, there] = await Promise.all([
        service.http.get('/v1/users/me', options),
        direct.http.get('/v1/users/me', options),
      ]);
      expect(here.status).toBe(401);
      expect(here.headers.get('content-type')).toBe(PROBLEM);
      expect(here.headers.get('www-authenticate')).toBe(there.headers.get('www-authenticate'));
      expect({ ...here.body, requestId: '' }).toEqual({ ...there.body, requestId: '' });
    }
    // A public route does not look at it.
    const options = { token: 'nonsense' };
    expect((await service.http.post('/v1/auth/login', { email: 'a@b.et', password: 'x' }, options)).body.code).toBe(
      'invalid_credentials',
    );
  });

  it('tells the API the address of the client, and nobody else can', async () => {
    const person = newPerson();
    await signUp(service, person);
    const loginFrom = async (url: string, localAddress: string, headers: Record<string, string>) => {
      const body = JSON.stringify({ email: person.email, password: person.password });
      const { accessToken } = await postFrom(`${url}/v1/auth/login`, localAddress, headers, body);
      const { body: list } = await service.http.get('/v1/auth/sessions', { token: accessToken });
      return (list.sessions as { current: boolean; ip: string }[]).find(({ current }) => current)?.ip;
    };
    const spoofed = { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7', forwarded: 'for=203.0.113.7' };
    expect(await loginFrom(service.gatewayUrl, '127.8.9.1', {})).toBe('127.8.9.*');
    expect(await loginFrom(service.gatewayUrl, '127.8.9.1', spoofed)).toBe('127.8.9.*');
    const wrong = { ...spoofed, 'x-gateway-secret': Buffer.alloc(32, 7).toString('base64') };
    expect(await loginFrom(direct.apiUrl, '127.8.9.1', spoofed)).toBe('127.8.9.*');
    expect(await loginFrom(direct.apiUrl, '127.8.9.1', wrong)).toBe('127.8.9.*');
    expect(await loginFrom(service.gatewayUrl, '127.8.9.1', wrong)).toBe('127.8.9.*');
    const secret = direct.stack.env['GATEWAY_SECRET']!;
    expect(await loginFrom(direct.apiUrl, '127.8.9.1', { ...spoofed, 'x-gateway-secret': secret })).toBe('203.0.113.*');
    // Only an address is one, and nothing of the secret is left behind.
    expect(
      await loginFrom(direct.apiUrl, '127.8.9.1', {
        'x-forwarded-for': '1.2.3.4, 5.6.7.8',
        'x-gateway-secret': secret,
      }),
    ).toBe('127.8.9.*');
    for (const name of ['api', 'gateway'] as const)
      expect(readFileSync(direct.processes[name].logFile, 'utf8')).not.toContain(secret);
  });

  it('refuses a session that has ended, before the API is asked', async () => {
    const { accessToken, sessionId } = (await signUp(service, newPerson())).body as Record<string, string>;
    const upstreamCalls = async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${direct.stack.ports.gatewayMetrics}/metrics`)).text();
      return Number(/gateway_refused_tokens_total (\d+)/.exec(metrics)?.[1]);
    };
    // Ended behind the gateway's back.
    await direct.http.send('DELETE', `/v1/auth/sessions/${sessionId}`, { token: accessToken! });
    await eventually('the edge to know', async () => {
      const before = await upstreamCalls();
      const answer = await service.http.get('/v1/users/me', { token: accessToken! });
      expect(answer.body.code).toBe('invalid_token');
      return (await upstreamCalls()) > before;
    });
  });

  it('passes the stream of events of an account on', async () => {
    const { accessToken } = (await signUp(service, newPerson())).body as { accessToken: string };
    const reader = await openEvents(service.gatewayUrl, accessToken);
    await direct.http.post('/v1/auth/logout', undefined, { token: accessToken });
    expect((await reader.next('session.ended')).data).toMatchObject({ type: 'session.ended' });
    reader.close();
  });

  it('has one document of what is behind it and of what it adds, and shows it', async () => {
    const document = (await service.http.get('/api/docs/openapi.json')).body as ApiDocument;
    const own = (await direct.http.get('/api/docs/openapi.json')).body as ApiDocument;
    expect(Object.keys(document.paths)).toEqual(Object.keys(own.paths));
    expect(document.servers).toEqual([{ url: '/' }]);
    const login = document.paths['/v1/auth/login']?.['post'];
    expect(Object.keys(login?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '401', '429', '502', '503', '504']),
    );
    expect(validateOpenApi(document)).toEqual({ valid: true, version: '3.1' });
    const page = await fetch(`${service.gatewayUrl}/api/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect((await fetch(`${service.gatewayUrl}/api/docs/swagger-ui.css`)).status).toBe(200);
  });

  it('does not say security headers twice', async () => {
    const answer = await service.http.get('/v1/users/me');
    const through = await service.http.get('/.well-known/jwks.json');
    const straight = await direct.http.get('/.well-known/jwks.json');
    for (const name of ['strict-transport-security', 'x-content-type-options', 'content-security-policy', 'vary']) {
      expect(through.headers.get(name)).toBe(straight.headers.get(name));
      expect(answer.headers.has(name)).toBe(true);
    }
  });

  it('keeps metrics and unknown paths to itself', async () => {
    for (const path of ['/metrics', '/nothing', '/v1', '/healthz/x']) {
      const answer = await service.http.get(path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found']);
    }
    expect((await service.http.get('/readyz')).body).toMatchObject({ status: 'ready', checks: { auth: {} } });
  });
});
