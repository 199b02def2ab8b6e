import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createProcesses, type ServiceProcess } from '../../tools/processes';
import { freePort } from '../../tools/stack/ports';
import { type Authority, createAuthority, type Issued } from '../support/certificates';
import { eventually } from '../support/eventually';
import { createGrpcClient, type GrpcClient, messageOf } from '../support/grpc-client';
import { logIn as logInOverHttp, mailedCode, newPerson, signUp } from '../support/people';
import { useTestService } from '../support/service';
import { type Account, hire } from '../support/staff';

const newToken = (): string => randomBytes(32).toString('base64url');
const TOKENS = { orders: newToken(), ordersNext: newToken(), billing: newToken() };
const REFUSED = { code: 'UNAUTHENTICATED', reason: 'invalid_service_token' };
const START_TIMEOUT_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'meqenet-callers-'));
const tokenFile = join(folder, 'tokens');
const writeTokens = (...entries: readonly string[]): void => {
  writeFileSync(tokenFile, entries.join(','));
};
writeTokens(`orders:${TOKENS.orders}`, `orders:${TOKENS.ordersNext}`, `billing:${TOKENS.billing}`);

const service = useTestService({
  env: {
    GRPC_SERVICE_TOKENS: '',
    GRPC_SERVICE_TOKENS_FILE: tokenFile,
    SECRETS_REFRESH_INTERVAL: '1s',
    LOCKOUT_FREE_FAILURES: '50',
  },
});
let grpc: GrpcClient;
let auditor: Account;
beforeAll(async () => {
  grpc = createGrpcClient(service.grpcAddress, TOKENS.orders);
  auditor = await hire(service, 'COMPLIANCE');
});
afterAll(() => {
  grpc.close();
  rmSync(folder, { recursive: true, force: true });
});

const METHODS = [
  ...['registerUser', 'verifyRegistration', 'authenticateUser', 'completeMfa'],
  ...['validateToken', 'refreshToken', 'logoutUser', 'getUser'],
] as const;

/** What an auditor reads of an account: each act with the service that called, oldest first. */
const auditedServices = async (userId: string): Promise<string[]> => {
  const path = `/v1/admin/audit-events?subjectId=${userId}`;
  const { events } = (await service.http.get(path, { token: auditor.token })).body as {
    events: { action: string; callingService: string | null; details: object | null }[];
  };
  // It is told once.
  for (const { details } of events) expect(details).not.toHaveProperty('callingService');
  return events.reverse().map(({ action, callingService }) => `${action} ${callingService ?? '-'}`);
};

describe('the audit trail', () => {
  it('says which service called, for whatever came of it', async () => {
    const { email, password } = newPerson();
    const { registrationId } = messageOf(await grpc.call('registerUser', { email, password }));
    const code = await mailedCode(service, email);
    const { user, tokens } = messageOf(await grpc.call('verifyRegistration', { registrationId, code }));
    const login = { identifier: { $case: 'email', value: email } as const, password };
    const billing = { serviceToken: TOKENS.billing };
    expect(await grpc.call('authenticateUser', { ...login, password: 'not the password' }, billing)).toMatchObject({
      reason: 'invalid_credentials',
    });
    messageOf(await grpc.call('authenticateUser', login, billing));
    messageOf(await grpc.call('logoutUser', { accessToken: tokens?.accessToken ?? '' }));
    expect((await logInOverHttp(service, { email, password })).status).toBe(200);
    expect(await auditedServices(user?.id ?? '')).toEqual([
      ...['registration.completed orders', 'session.opened orders', 'login.failed billing'],
      ...['session.opened billing', 'session.ended orders', 'session.opened -'],
    ]);
    const { body } = await service.http.get('/v1/admin/audit-events/verify', { token: auditor.token });
    expect(body).toMatchObject({ valid: true, complete: true });
  });
});

describe('a service that calls', () => {
  it.each([
    ['no token', null],
    ['a token of nobody', newToken()],
    ['a token that is cut short', TOKENS.orders.slice(0, -1)],
    ['two tokens in one', `${TOKENS.orders} ${TOKENS.billing}`],
    ['its name with its token', `orders:${TOKENS.orders}`],
    ['the list of all tokens', `${TOKENS.orders},${TOKENS.billing}`],
    ['a token of 4,000 characters', 'x'.repeat(4_000)],
  ])('is refused at every method with %s', async (_, serviceToken) => {
    for (const name of METHODS) expect(await grpc.call(name, {}, { serviceToken })).toMatchObject(REFUSED);
    const watch = grpc.watch(undefined, { serviceToken });
    expect(await watch.ended).toMatchObject({ code: 16 });
    expect(watch.seen).toEqual([]);
  });

  it('is refused with a person’s access token, and with another scheme', async () => {
    const { body } = await signUp(service, newPerson());
    expect(await grpc.call('validateToken', {}, { serviceToken: body.accessToken as string })).toMatchObject(REFUSED);
    const metadata = { authorization: `Basic ${Buffer.from(`orders:${TOKENS.orders}`).toString('base64')}` };
    expect(await grpc.call('validateToken', {}, { serviceToken: null, metadata })).toMatchObject(REFUSED);
  });

  it('is let in with any of its tokens, and counted by its name', async () => {
    for (const serviceToken of Object.values(TOKENS))
      expect(await grpc.call('validateToken', {}, { serviceToken })).toMatchObject({ code: 'OK' });
    const metrics = await (await fetch(`${service.apiUrl}/metrics`)).text();
    expect(metrics).toMatch(/grpc_server_calls_total\{method="ValidateToken",caller="orders"\} 2\n/);
    expect(metrics).toMatch(/grpc_server_calls_total\{method="ValidateToken",caller="billing"\} 1\n/);
    expect(metrics).toMatch(/grpc_server_handling_seconds_count\{method="ValidateToken",code="UNAUTHENTICATED"\} \d+/);
    for (const token of Object.values(TOKENS)) expect(metrics).not.toContain(token);
  });

  it('goes on with its next token while the last one is taken away, without a restart', async () => {
    const pid = service.processes.api.pid;
    const rotated = newToken();
    writeTokens(`orders:${TOKENS.orders}`, `billing:${TOKENS.billing}`, `billing:${rotated}`);
    const ask = (serviceToken: string) => grpc.call('validateToken', {}, { serviceToken });
    await eventually('the new token', async () => (await ask(rotated)).code === 'OK');
    expect(await ask(TOKENS.billing)).toMatchObject({ code: 'OK' });
    expect(await ask(TOKENS.ordersNext)).toMatchObject(REFUSED);
    writeTokens(`orders:${TOKENS.orders}`, `billing:${rotated}`);
    await eventually('the end of the old one', async () => (await ask(TOKENS.billing)).code === 'UNAUTHENTICATED');
    expect(await ask(rotated)).toMatchObject({ code: 'OK' });
    expect(await ask(TOKENS.orders)).toMatchObject({ code: 'OK' });
    expect(service.processes.api.pid).toBe(pid);
  });
});

describe('the person for whom a service calls', () => {
  const sessionsOf = async (token: string) =>
    (await service.http.get('/v1/auth/sessions', { token })).body.sessions as {
      readonly id: string;
      readonly ip: string;
      readonly userAgent: string;
    }[];

  it('is seen where the service says: in the sessions and the audit trail', async () => {
    const person = newPerson();
    const token = (await signUp(service, person)).body.accessToken as string;
    const { email, password } = person;
    const requestId = `order-${randomUUID()}`;
    const { result } = messageOf(
      await grpc.call(
        'authenticateUser',
        { identifier: { $case: 'email', value: email }, password },
        {
          metadata: {
            ...{ 'x-client-address': '196.188.12.34', 'x-request-id': requestId },
            'x-client-user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0',
          },
        },
      ),
    );
    const sessionId = result?.$case === 'tokens' ? result.value.sessionId : '';
    expect((await sessionsOf(token)).find(({ id }) => id === sessionId)).toMatchObject({
      ip: '196.188.12.*',
      userAgent: expect.stringContaining('Firefox'),
    });
    const { rows } = await service.database.query(
      `SELECT action, request_id, origin_ciphertext IS NOT NULL AS origin FROM audit_events WHERE request_id = $1`,
      [requestId],
    );
    expect(rows).toContainEqual(expect.objectContaining({ request_id: requestId, origin: true }));
  });

  it('is not taken from headers that anybody could have sent, nor from what is no address', async () => {
    const person = newPerson();
    const token = (await signUp(service, person)).body.accessToken as string;
    const { email, password } = person;
    const request = { identifier: { $case: 'email', value: email } as const, password };
    for (const metadata of [
      { 'x-forwarded-for': '196.188.12.34', 'x-real-ip': '196.188.12.34', forwarded: 'for=196.188.12.34' },
      { 'x-client-address': '196.188.12.34, 10.0.0.1' },
      { 'x-client-address': 'example.et' },
    ] as Record<string, string>[])
      expect(await grpc.call('authenticateUser', request, { metadata })).toMatchObject({ code: 'OK' });
    // Nor over HTTP, where it means nothing.
    await service.http.post(
      '/v1/auth/login',
      { email, password },
      { headers: { 'x-client-address': '196.188.12.34' } },
    );
    expect((await logInOverHttp(service, person)).status).toBe(200);
    const addresses = (await sessionsOf(token)).map(({ ip }) => ip);
    expect(addresses.length).toBeGreaterThanOrEqual(5);
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.*']));
  });
});

describe('mutual TLS', () => {
  let authority: Authority;
  let api: ServiceProcess;
  let server: Issued;
  let address = '';
  const clients: GrpcClient[] = [];

  beforeAll(async () => {
    authority = await createAuthority();
    server = await authority.issue('localhost', '127.0.0.1');
    const [port, grpcPort] = [await freePort(), await freePort()];
    const { stack } = service;
    address = `localhost:${String(grpcPort)}`;
    ({ api } = createProcesses(
      {
        ...stack,
        ...{ logDir: join(stack.logDir, 'secure'), ports: { ...stack.ports, api: port, grpc: grpcPort } },
        env: { ...stack.env, AUTH_SERVICE_PORT: String(port), GRPC_PORT: String(grpcPort) },
      },
      {
        env: {
          ...{ NODE_ENV: 'test', RATE_LIMIT_MODE: 'observe', GRPC_SERVICE_TOKENS: `orders:${TOKENS.orders}` },
          ...{ SERVER_TLS_CERTIFICATE: server.cert, SERVER_TLS_KEY: server.key },
          SERVER_TLS_CLIENT_CA: authority.cert,
        },
      },
    ));
    await api.start();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    for (const client of clients) client.close();
    await api.stop();
  }, START_TIMEOUT_MS);

  const secure = (identity?: Issued): ChannelCredentials =>
    credentials.createSsl(
      Buffer.from(authority.cert),
      identity ? Buffer.from(identity.key) : null,
      identity ? Buffer.from(identity.cert) : null,
    );
  const connect = (channel: ChannelCredentials, serviceToken?: string): GrpcClient => {
    const client = createGrpcClient(address, serviceToken, channel);
    clients.push(client);
    return client;
  };
  const ask = (client: GrpcClient) => client.call('validateToken', {}, { timeoutMs: 5_000 });

  it('lets whoever shows a certificate of the authority in, by its name', async () => {
    const client = connect(secure(await authority.issueClient('payments')));
    expect(await ask(client)).toMatchObject({ code: 'OK' });
    await eventually('the line of the call', () => {
      const log = readFileSync(join(service.stack.logDir, 'secure', 'api.log'), 'utf8');
      return Promise.resolve(log.includes('"method":"ValidateToken","status":"OK","caller":"payments"'));
    });
    // A token that is wrong is not made good by a certificate.
    expect(await client.call('validateToken', {}, { serviceToken: newToken() })).toMatchObject(REFUSED);
  });

  it('has the name of the certificate in the audit trail', async () => {
    const client = connect(secure(await authority.issueClient('payments')));
    const person = newPerson();
    const { user } = (await signUp(service, person)).body as { user: { id: string } };
    const identifier = { $case: 'email', value: person.email } as const;
    messageOf(await client.call('authenticateUser', { identifier, password: person.password }));
    expect((await auditedServices(user.id)).at(-1)).toBe('session.opened payments');
  });

  it('talks to nobody without a certificate, with one of another authority, or in the clear', async () => {
    const stranger = await (await createAuthority('Another authority')).issueClient('payments');
    for (const channel of [secure(), secure(stranger), credentials.createInsecure()])
      for (const token of [undefined, TOKENS.orders])
        expect(await ask(connect(channel, token))).toMatchObject({ code: 'UNAVAILABLE', reason: undefined });
  });

  it('is refused by clients that do not know the server’s authority', async () => {
    const identity = await authority.issueClient('payments');
    const other = await createAuthority('Another authority');
    const channel = credentials.createSsl(
      Buffer.from(other.cert),
      Buffer.from(identity.key),
      Buffer.from(identity.cert),
    );
    expect(await ask(connect(channel))).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
