import { request } from 'node:https';
import { json } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Client } from 'pg';

import { createProcesses } from '../../tools/processes';
import { type Authority, createAuthority } from '../support/certificates';
import type { Answer, HttpClient, RequestOptions } from '../support/http-client';
import { logIn, newPerson, signUp, WELCOME_SUBJECT } from '../support/people';
import { encryptPostgres } from '../support/postgres-tls';
import { useTestService } from '../support/service';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy';

const START_TIMEOUT_MS = 90_000;
const service = useTestService({ processes: [] });
let processes: ReturnType<typeof createProcesses>;
let authority: Authority;
let http: HttpClient;
const proxies: Record<'redis' | 'temporal' | 'smtp', TlsProxy> = {} as never;

/** A client that knows the test's authority, and shows the certificate of the gateway. */
const createSecureClient = (port: number, identity: { readonly cert: string; readonly key: string }): HttpClient => {
  const send = (method: string, path: string, { body, token, headers }: RequestOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = {
        ...{ host: '127.0.0.1', servername: 'localhost', port, path, method, ca: authority.cert, ...identity },
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
      };
      const asked = request({ ...options, agent: false }, (response) => {
        const { statusCode: status = 0 } = response;
        json(response).then((answer) => {
          resolve({ status, headers: new Headers(), body: answer });
        }, reject);
      });
      asked.once('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    send,
    get: (path, options) => send('GET', path, options),
    post: (path, body, options) => send('POST', path, { ...options, body }),
  };
};

/** Everything that the processes are told: TLS with certificates of both sides, wherever they connect and serve. */
const environment = async (): Promise<Record<string, string>> => {
  const [server, client] = await Promise.all([
    authority.issue('localhost', '127.0.0.1'),
    authority.issueClient('auth'),
  ]);
  const clientOf = (prefix: string) => ({
    [`${prefix}_TLS`]: 'true',
    [`${prefix}_TLS_CA`]: authority.cert,
    [`${prefix}_TLS_CERTIFICATE`]: client.cert,
    [`${prefix}_TLS_KEY`]: client.key,
  });
  return {
    ...{ NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe' },
    ...{ SERVER_TLS_CERTIFICATE: server.cert, SERVER_TLS_KEY: server.key, SERVER_TLS_CLIENT_CA: authority.cert },
    ...clientOf('DATABASE'),
    ...{ ...clientOf('REDIS'), REDIS_PORT: String(proxies.redis.port) },
    ...{ ...clientOf('TEMPORAL'), TEMPORAL_ADDRESS: `localhost:${String(proxies.temporal.port)}` },
    ...{ ...clientOf('SMTP'), SMTP_SECURE: 'true', SMTP_PORT: String(proxies.smtp.port) },
  };
};

beforeAll(async () => {
  authority = await createAuthority();
  const server = await authority.issue('localhost', '127.0.0.1');
  const { ports } = service.stack;
  const front = (targetPort: number, alpn: readonly string[] = []) =>
    startTlsProxy({ ...server, clientCa: authority.cert, targetPort, ...(alpn.length > 0 && { alpn }) });
  await encryptPostgres(service.stack, server, authority.cert);
  proxies.redis = await front(ports.valkey);
  proxies.temporal = await front(ports.temporal, ['h2']);
  proxies.smtp = await front(ports.smtp);
  processes = createProcesses(service.stack, { env: await environment() });
  const { api, worker, consumer } = processes;
  await Promise.all([api, worker, consumer].map((part) => part.start()));
  http = createSecureClient(ports.api, await authority.issueClient('gateway'));
}, START_TIMEOUT_MS);
afterAll(async () => {
  const { api, worker, consumer } = processes;
  await Promise.all([api, worker, consumer].map((part) => part.stop()));
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
}, START_TIMEOUT_MS);

describe('the whole service over mutual TLS', () => {
  it('registers somebody, sends the mails and logs them in, with no connection in the clear', async () => {
    const secure = { ...service, http };
    const person = newPerson();
    const { status, body } = await signUp(secure, person);
    expect(status).toBe(201);
    expect(await service.mailbox.waitFor(person.email, WELCOME_SUBJECT)).toHaveLength(1);
    expect(await logIn(secure, person)).toMatchObject({ status: 200, body: { tokenType: 'Bearer' } });
    expect(await http.get('/v1/users/me', { token: body.accessToken as string })).toMatchObject({ status: 200 });
    expect(await http.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
    for (const { protocols } of Object.values(proxies))
      expect([...protocols]).toEqual([expect.stringMatching(/^TLSv1\.[23]$/)]);

    // What connects as the service's role, from all its processes.
    const admin = new Client({ connectionString: service.stack.postgres?.superuserUrl });
    await admin.connect();
    const { rows } = await admin.query(
      `SELECT DISTINCT ssl, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'meqenet_app'`,
    );
    await admin.end();
    expect(rows).toEqual([{ ssl: true, client_dn: '/CN=auth' }]);
  });
});
