import { describe, expect, it } from '@jest/globals';

import { createHttpClient, type HttpClient } from '../support/http-client';
import { eventually } from '../support/eventually';
import { logIn, newPerson, newPhone, signUp } from '../support/people';
import { useTestService } from '../support/service';

const service = useTestService({
  processes: ['api', 'worker', 'consumer', 'codec-server'],
  env: { RATE_LIMIT_MODE: 'observe' },
});

type Name = 'api' | 'worker' | 'consumer';
const NAMES: readonly Name[] = ['api', 'worker', 'consumer'];
const clientOf = (name: Name): HttpClient => {
  const { ports } = service.stack;
  const port = { api: ports.api, worker: ports.workerMetrics, consumer: ports.consumerMetrics }[name];
  return createHttpClient(`http://127.0.0.1:${String(port)}`);
};

interface Report {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly status: string; readonly error?: string }>>;
}
/** HTTP status, state, and the names of the checks that are down. */
const stateOf = async (name: Name) => {
  const { status, body } = await clientOf(name).get('/readyz');
  const { status: state, checks } = body as Report;
  for (const { error } of Object.values(checks)) expect(error ?? 'ok').toMatch(/^[A-Za-z0-9_]{1,40}$/);
  const down = Object.entries(checks).filter(([, check]) => check.status === 'down');
  return `${String(status)} ${state}${down.map(([check]) => ` -${check}`).join('')}`;
};
/** A result is good for a second, and a check may take two. */
const becomes = (expected: Readonly<Record<Name, string>>) =>
  Promise.all(
    NAMES.map((name) =>
      eventually(`${name}: ${expected[name]}`, async () => {
        const state = await stateOf(name);
        if (state !== expected[name]) throw new Error(`It is ${state}`);
        return true;
      }),
    ),
  );
const READY = { api: '200 ready', worker: '200 ready', consumer: '200 ready' };
const areAlive = async () => {
  for (const name of NAMES)
    expect(await clientOf(name).get('/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } });
};

describe('readiness', () => {
  it('names what each process depends on', async () => {
    await becomes(READY);
    const checksOf = async (name: Name) =>
      Object.keys(((await clientOf(name).get('/readyz')).body as Report).checks).sort();
    expect(await checksOf('api')).toEqual(['mail', 'postgres', 'redis', 'temporal']);
    expect(await checksOf('worker')).toEqual(['mail', 'postgres', 'redis', 'temporal']);
    expect(await checksOf('consumer')).toEqual(['mail', 'postgres', 'redis']);
    await areAlive();
  });

  it('without Redis the api is degraded and logins go on; the consumer is not ready; all of it comes back by itself', async () => {
    const person = newPerson();
    await signUp(service, person);
    await service.stack.valkey?.kill();
    await becomes({ api: '200 degraded -redis', worker: '200 degraded -redis', consumer: '503 not_ready -redis' });
    expect((await logIn(service, person)).status).toBe(200);
    await areAlive();
    await service.stack.valkey?.start();
    await becomes(READY);
  });

  it('without the mail server every process is degraded', async () => {
    await service.stack.mail?.kill();
    await becomes({ api: '200 degraded -mail', worker: '200 degraded -mail', consumer: '200 degraded -mail' });
    await service.stack.mail?.start();
    await becomes(READY);
  });

  it('without Temporal the api is degraded and logins go on; the worker is not ready', async () => {
    const person = newPerson();
    await signUp(service, person);
    await service.stack.temporal?.kill();
    await becomes({ api: '200 degraded -temporal', worker: '503 not_ready -temporal', consumer: '200 ready' });
    expect((await logIn(service, person)).status).toBe(200);
    await areAlive();
    await service.stack.temporal?.start();
    await becomes(READY);
  });

  it('without Postgres nothing is ready, all of it is alive and comes back by itself', async () => {
    await service.stack.postgres?.kill();
    await becomes({
      api: '503 not_ready -postgres',
      worker: '503 not_ready -postgres',
      consumer: '503 not_ready -postgres',
    });
    await areAlive();
    await service.stack.postgres?.start();
    await becomes(READY);
    expect((await signUp(service, newPerson())).status).toBe(201);
  });
});

describe('metrics', () => {
  const read = async (name: Name): Promise<string> => {
    const { ports } = service.stack;
    const port = { api: ports.api, worker: ports.workerMetrics, consumer: ports.consumerMetrics }[name];
    const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return response.text();
  };
  /** One line of the text format: a name, labels, a value. */
  const SAMPLE = /^[a-zA-Z_:][\w:]*(\{(\w+="(?:[^"\\\n]|\\.)*",?)*\})? (NaN|[+-]?(Inf|[\d.]+(e[+-]?\d+)?))$/i;

  it('follow the text format, and hold no ids, addresses, numbers or paths of people', async () => {
    const person = newPerson({ phone: newPhone() });
    const { body } = await signUp(service, person);
    await service.http.get('/v1/users/me', { token: body.accessToken as string });
    await service.http.get(`/v1/auth/register/${String(body.user.id)}`);
    await service.http.get(`/unknown/${person.email}?email=${person.email}`);
    await fetch(`${service.apiUrl}/v1/auth/login`, { method: 'PROPFIND' });
    for (const name of NAMES) {
      const text = await read(name);
      const lines = text.split('\n').filter((line) => line !== '');
      expect(lines.filter((line) => !line.startsWith('# ') && !SAMPLE.test(line))).toEqual([]);
      expect(text).toMatch(/^process_resident_memory_bytes /m);
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|@|person-|\+251|unknown\//);
    }
  });

  it('of the api count by route pattern, whatever clients make up', async () => {
    const text = await read('api');
    const routes = new Set(
      [...text.matchAll(/^http_request_duration_seconds_count\{.*route="([^"]*)"/gm)].map(([, route]) => route),
    );
    expect(routes).toContain('/v1/auth/register/:registrationId');
    expect(routes).toContain('unmatched');
    const methods = new Set(
      [...text.matchAll(/^http_request_duration_seconds_count\{.*method="([^"]*)"/gm)].map(([, method]) => method),
    );
    expect([...methods].filter((method) => !['GET', 'POST', 'OTHER'].includes(method ?? ''))).toEqual([]);
  });

  it('of the consumer count its jobs', async () => {
    await eventually('a job that is counted', async () =>
      /^queue_jobs_completed_total [1-9]/m.test(await read('consumer')),
    );
    expect(await read('consumer')).toMatch(/^queue_jobs_dead_lettered_total 0$/m);
  });
});

describe('every answer', () => {
  it('has the security headers, pages and errors too', async () => {
    const { ports } = service.stack;
    const api = [
      '/healthz',
      '/readyz',
      '/metrics',
      '/nowhere',
      '/.well-known/jwks.json',
      '/v1/users/me',
      '/v1/auth/login',
    ];
    const pages = ['/api/docs', '/api/docs/openapi.json', '/verify-email', '/verify-email.js'];
    const places = [
      ...[...api, ...pages].map((path) => `http://127.0.0.1:${String(ports.api)}${path}`),
      ...[ports.workerMetrics, ports.consumerMetrics].flatMap((port) =>
        ['/healthz', '/readyz', '/metrics', '/nowhere'].map((path) => `http://127.0.0.1:${String(port)}${path}`),
      ),
    ];
    for (const place of places) {
      const { headers } = await fetch(place);
      const told = Object.fromEntries(headers);
      expect(told).toMatchObject({
        'x-request-id': expect.stringMatching(/./),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=63072000; includeSubDomains',
        'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      });
      expect(told['content-security-policy']).not.toMatch(/unsafe|\*/);
      for (const name of ['x-powered-by', 'server', 'set-cookie', 'access-control-allow-origin'])
        expect(headers.has(name)).toBe(false);
    }
  });

  it('of the processes without an API says nothing of the API', async () => {
    for (const name of ['worker', 'consumer'] as const) {
      for (const path of ['/v1/users/me', '/v1/auth/login', '/api/docs', '/verify-email'])
        expect(await clientOf(name).get(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  it('comes over loopback only from the codec server, to the Temporal UI', async () => {
    const url = `http://127.0.0.1:${String(service.stack.ports.codecServer)}`;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ask = (origin: string) =>
      fetch(`${url}/decode`, { method: 'POST', headers: { origin }, body: '{"payloads":[]}' });
    expect((await ask(service.stack.temporalUiUrl)).status).toBe(401);
    expect((await ask('https://evil.example')).status).toBe(403);
  });
});
