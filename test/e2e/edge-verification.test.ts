import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose';
import Koa from 'koa';

import { type AuthClient, connect } from '../../clients/typescript/src';
import { createEdge, type Edge, type EdgeOptions, PROBLEMS } from '../../clients/typescript-edge/src';
import * as forExpress from '../../clients/typescript-edge/src/express';
import * as forKoa from '../../clients/typescript-edge/src/koa';
import { ERRORS } from '../../src/contracts/errors';
import { DIST_DIR } from '../../tools/project';
import { eventually } from '../support/eventually';
import { createForge, type Forge } from '../support/forge';
import { type Answer, createHttpClient, type HttpClient } from '../support/http-client';
import { logIn, newPerson, signUp } from '../support/people';
import { serviceToken } from '../support/service-token';
import { useTestService } from '../support/service';
import { freshToken, hire } from '../support/staff';

const service = useTestService({ env: { SIGNING_KEY_OVERLAP: '500ms' } });
const person = newPerson();
const closing: (() => unknown)[] = [];
let client: AuthClient;
let userId = '';

const portOf = (server: { address(): unknown }): string => String((server.address() as AddressInfo).port);

/** A server of another team. */
const serve = async (listener: RequestListener): Promise<HttpClient> => {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return createHttpClient(`http://127.0.0.1:${portOf(server)}`);
};

const connectTo = (address: string): AuthClient => {
  const opened = connect({ address, security: { kind: 'plaintext' }, serviceToken: serviceToken(service) });
  closing.push(opened.close);
  return opened;
};

const newEdge = (revocation: EdgeOptions['revocation'], keys: Partial<EdgeOptions['keys']> = {}): Edge => {
  const edge = createEdge({
    ...{ issuer: 'meqenet.et', audience: 'meqenet-api', revocation },
    keys: { url: `${service.apiUrl}/.well-known/jwks.json`, cooldownMs: 0, ...keys },
  });
  closing.push(edge.close);
  return edge;
};

const koaApp = (edge: Edge): Promise<HttpClient> => {
  const app = new Koa();
  app.use(forKoa.authenticate(edge));
  app.use(async (ctx, next) => {
    if (ctx.path === '/admin') await forKoa.requireRole('ADMIN', 'SUPPORT')(ctx, next);
    else if (ctx.path === '/pay') await forKoa.requireAcr('aal2', { maxAgeMs: 300_000 })(ctx, next);
    else await next();
  });
  app.use((ctx) => {
    ctx.body = forKoa.authOf(ctx);
  });
  const handle = app.callback();
  return serve((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
};

const expressApp = (edge: Edge): Promise<HttpClient> => {
  const app = express();
  app.use(forExpress.authenticate(edge));
  app.get('/admin', forExpress.requireRole('ADMIN', 'SUPPORT'));
  app.get('/pay', forExpress.requireAcr('aal2', { maxAgeMs: 300_000 }));
  app.use((request, response) => void response.json(forExpress.authOf(request)));
  return serve(app as RequestListener);
};

const newToken = async (): Promise<string> => (await logIn(service, person)).body.accessToken as string;
const logOut = (token: string): Promise<Answer> => service.http.post('/v1/auth/logout', {}, { token });

/** A way to the gRPC server that can be cut. */
const relay = async () => {
  const sockets = new Set<Socket>();
  let isCut = false;
  let toRefuse = 0;
  const [host = '', port = ''] = service.grpcAddress.split(':');
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    toRefuse -= 1;
    if (isCut || toRefuse >= 0) return void socket.destroy();
    const upstream = connectTcp(Number(port), host);
    upstream.on('error', () => socket.destroy());
    for (const one of [socket, upstream])
      sockets.add(one.on('close', () => [socket, upstream].map((s) => s.destroy())));
    socket.pipe(upstream).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  closing.push(() => {
    cut();
    server.close();
  });
  return {
    address: `127.0.0.1:${portOf(server)}`,
    cut,
    mend: () => (isCut = false),
    refuseNext: (count: number) => (toRefuse = count),
  };
};

beforeAll(async () => {
  userId = (await signUp(service, person)).body.user.id as string;
  client = connectTo(service.grpcAddress);
}, 60_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

it('the codes, statuses and titles are those of the API', () => {
  for (const [code, { status, title }] of Object.entries(PROBLEMS))
    expect({ status, title }).toEqual({ ...ERRORS[code as keyof typeof PROBLEMS] });
});

describe.each([
  ['Koa', koaApp],
  ['Express', expressApp],
])('a service of another team with %s', (_name, appWith) => {
  let app: HttpClient;
  let forge: Forge;
  beforeAll(async () => {
    const edge = newEdge({ by: 'stream', source: client });
    await edge.ready(AbortSignal.timeout(20_000));
    app = await appWith(edge);
    forge = await createForge(service);
  }, 40_000);

  it('knows who makes the request', async () => {
    const { body: tokens } = await logIn(service, person);
    const { status, body } = await app.get('/', { token: tokens.accessToken as string });
    expect(status).toBe(200);
    expect(body).toMatchObject({ userId, sessionId: tokens.sessionId, roles: ['CUSTOMER'], acr: 'aal1', amr: ['pwd'] });
    expect(Math.abs(Date.now() - Date.parse(body.authTime as string))).toBeLessThan(60_000);
  });

  it('answers as the API where a token is missing, and where a role or a factor is', async () => {
    const nobody = await app.get('/?secret=1', { headers: { 'x-request-id': 'req-1' } });
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toBe('Bearer');
    expect(nobody.headers.get('content-type')).toBe('application/problem+json');
    expect(nobody.body).toEqual({
      ...{ type: 'urn:meqenet:problem:invalid_token', code: 'invalid_token', status: 401, instance: '/' },
      ...{ title: ERRORS.invalid_token.title, detail: ERRORS.invalid_token.title, requestId: 'req-1' },
    });
    const token = await newToken();
    const admin = await app.get('/admin', { token });
    expect([admin.status, admin.body.code]).toEqual([403, 'forbidden']);
    const pay = await app.get('/pay', { token });
    expect([pay.status, pay.body.code]).toEqual([403, 'step_up_required']);
    expect(pay.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="300"',
    );
    const session = { userId, sessionId: crypto.randomUUID() };
    const strong = await forge.sign({ ...forge.claims(session), acr: 'aal2', roles: ['SUPPORT'] }, forge.header);
    expect((await app.get('/admin', { token: strong })).status).toBe(200);
    expect((await app.get('/pay', { token: strong })).status).toBe(200);
  });

  it('takes no token that is wrong in one thing', async () => {
    const claims = forge.claims({ userId, sessionId: crypto.randomUUID() });
    const { exp: _end, ...endless } = claims;
    const good = await forge.sign(claims, forge.header);
    expect((await app.get('/', { token: good })).status).toBe(200);
    const now = Math.floor(Date.now() / 1_000);
    const [head, payload, signature = ''] = good.split('.');
    const wrong = {
      audience: forge.sign({ ...claims, aud: 'others' }, forge.header),
      issuer: forge.sign({ ...claims, iss: 'others' }, forge.header),
      type: forge.sign(claims, { ...forge.header, typ: 'JWT' }),
      expired: forge.sign({ ...claims, exp: now - 60 }, forge.header),
      'not yet': forge.sign({ ...claims, nbf: now + 600 }, forge.header),
      'older than tokens get': forge.sign({ ...claims, iat: now - 1_000 }, forge.header),
      'without a session': forge.sign({ ...claims, sid: undefined }, forge.header),
      'without an end': forge.sign(endless, forge.header),
      'of an unknown key': forge.sign(claims, { ...forge.header, kid: 'unknown' }),
      unsigned: new UnsecuredJWT(claims).encode(),
      'signed with the public id of the key': new SignJWT(claims)
        .setProtectedHeader({ ...forge.header, alg: 'HS256' })
        .sign(Buffer.from(forge.keyId.padEnd(32))),
      tampered: `${String(head)}.${String(payload)}x.${signature}`,
      'with another signature': `${String(head)}.${String(payload)}.${signature.slice(0, -4)}AAAA`,
      'no token': 'nonsense',
      'too long': 'a'.repeat(9_000),
    };
    for (const [what, token] of Object.entries(wrong)) {
      const { status, body, headers } = await app.get('/', { token: await token });
      expect({ what, status, code: body.code, challenge: headers.get('www-authenticate') }).toEqual({
        ...{ what, status: 401, code: 'invalid_token', challenge: 'Bearer error="invalid_token"' },
      });
    }
  });

  it('sees a logout by the stream', async () => {
    const [token, other] = [await newToken(), await newToken()];
    expect((await app.get('/', { token })).status).toBe(200);
    expect((await logOut(token)).status).toBe(204);
    const since = performance.now();
    await eventually('the end of the session', async () => (await app.get('/', { token })).status === 401);
    process.stdout.write(`edge: a logout was seen after ${(performance.now() - since).toFixed(0)} ms\n`);
    expect((await app.get('/', { token: other })).status).toBe(200);
  });
});

describe('revocation', () => {
  it('sees that a role was taken away, by the stream and by ValidateToken; a refreshed token is good', async () => {
    const streaming = newEdge({ by: 'stream', source: client });
    await streaming.ready(AbortSignal.timeout(20_000));
    const apps = [await koaApp(streaming), await koaApp(newEdge({ by: 'validation', validator: client }))];
    const [admin, staff] = [await hire(service, 'ADMIN'), await hire(service, 'SUPPORT')];
    const adminToken = await freshToken(service, admin);
    const token = await freshToken(service, staff);
    for (const app of apps) expect((await app.get('/admin', { token })).status).toBe(200);
    await service.http.send('DELETE', `/v1/admin/users/${staff.userId}/roles/SUPPORT`, { token: adminToken });
    for (const app of apps) {
      await eventually('the loss of the role', async () => (await app.get('/', { token })).status === 401);
      expect((await app.get('/', { token: adminToken })).status).toBe(200);
    }
    const renewed = await freshToken(service, staff);
    for (const app of apps) {
      expect((await app.get('/', { token: renewed })).status).toBe(200);
      expect((await app.get('/admin', { token: renewed })).status).toBe(403);
    }
  }, 60_000);

  it('is asked for each token by ValidateToken, at once, or as late as the cache says', async () => {
    const asking = await koaApp(newEdge({ by: 'validation', validator: client }));
    const caching = await koaApp(newEdge({ by: 'validation', validator: client, cacheMs: 600_000 }));
    const token = await newToken();
    for (const app of [asking, caching]) expect((await app.get('/', { token })).status).toBe(200);
    await logOut(token);
    expect((await asking.get('/', { token })).status).toBe(401);
    expect((await caching.get('/', { token })).status).toBe(200);
  });

  it('while the stream is away for longer than allowed: refuses, asks, or takes, as configured', async () => {
    const way = await relay();
    const source = connectTo(way.address);
    const options = { by: 'stream', source, maxStalenessMs: 0, backoffMs: { first: 20, last: 100 } } as const;
    const edges = {
      refusing: newEdge(options),
      asking: newEdge({ ...options, whenStale: 'fall-back', validator: client }),
      taking: newEdge({ ...options, whenStale: 'accept' }),
      patient: newEdge({ ...options, maxStalenessMs: 600_000 }),
    };
    await Promise.all(Object.values(edges).map((edge) => edge.ready(AbortSignal.timeout(20_000))));
    const apps = {} as Record<keyof typeof edges, HttpClient>;
    for (const [name, edge] of Object.entries(edges)) apps[name as keyof typeof edges] = await koaApp(edge);
    const statuses = async (token: string): Promise<Record<string, number>> => {
      const entries = Object.entries(apps).map(async ([name, app]) => [name, (await app.get('/', { token })).status]);
      return Object.fromEntries(await Promise.all(entries)) as Record<string, number>;
    };
    const [token, ended] = [await newToken(), await newToken()];
    expect(await statuses(token)).toEqual({ refusing: 200, asking: 200, taking: 200, patient: 200 });

    way.cut();
    await eventually('the loss to be noticed', () =>
      Promise.resolve(Object.values(edges).every((edge) => edge.status().stalenessMs > 0)),
    );
    await logOut(ended);
    expect(await statuses(token)).toEqual({ refusing: 503, asking: 200, taking: 200, patient: 200 });
    expect(await statuses(ended)).toEqual({ refusing: 503, asking: 401, taking: 200, patient: 200 });
    const { headers, body } = await apps.refusing.get('/', { token });
    expect([body.code, headers.get('retry-after')]).toEqual(['service_unavailable', '1']);

    way.mend();
    await eventually('the stream to be back', () =>
      Promise.resolve(Object.values(edges).every((edge) => edge.status().stalenessMs === 0)),
    );
    // What ended meanwhile was not missed.
    expect(await statuses(ended)).toEqual({ refusing: 401, asking: 401, taking: 401, patient: 401 });
    expect(await statuses(token)).toEqual({ refusing: 200, asking: 200, taking: 200, patient: 200 });
  }, 60_000);
});

describe('the client', () => {
  it('makes no call that was given up while it waited for the service token', async () => {
    const controller = new AbortController();
    const asking = connect({
      ...{ address: service.grpcAddress, security: { kind: 'plaintext' } },
      serviceToken: () => {
        controller.abort();
        return serviceToken(service);
      },
    });
    closing.push(asking.close);
    const { signal } = controller;
    await expect(asking.validateToken({ accessToken: '' }, { signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('tries again what only reads, and nothing else, where the server cannot be reached', async () => {
    const token = await newToken();
    const way = await relay();
    way.refuseNext(2);
    const reading = connectTo(way.address);
    expect((await reading.validateToken({ accessToken: token }, { deadlineMs: 20_000 })).valid).toBe(true);
    way.cut();
    const login = { identifier: { $case: 'email', value: person.email }, password: person.password } as const;
    await expect(connectTo(way.address).authenticateUser(login)).rejects.toMatchObject({
      name: 'AuthError',
      isUnreachable: true,
    });
  }, 30_000);
});

describe('keys', () => {
  it('of a rotation are known without a restart', async () => {
    const app = await koaApp(newEdge({ by: 'validation', validator: client }));
    const before = await newToken();
    expect((await app.get('/', { token: before })).status).toBe(200);
    await promisify(execFile)(process.execPath, [join(DIST_DIR, 'tools', 'keys-rotate.js')], {
      env: { ...process.env, TEMPORAL_ADDRESS: service.stack.env['TEMPORAL_ADDRESS'] },
      timeout: 30_000,
    });
    const after = await eventually('the new key to sign', async () => {
      const token = await newToken();
      return decodeProtectedHeader(token).kid === decodeProtectedHeader(before).kid ? undefined : token;
    });
    for (const token of [before, after]) expect((await app.get('/', { token })).status).toBe(200);
  }, 60_000);

  it('that cannot be had make it 503, and those of before go on', async () => {
    const token = await newToken();
    const validator = { validateToken: () => Promise.resolve({ valid: true, roles: ['CUSTOMER'] }) };
    const gone = await koaApp(newEdge({ by: 'validation', validator }, { url: 'http://127.0.0.1:9/jwks.json' }));
    const { status, body } = await gone.get('/', { token });
    expect([status, body.code]).toEqual([503, 'service_unavailable']);
    const app = await koaApp(newEdge({ by: 'validation', validator }, { cacheMaxAgeMs: 0 }));
    expect((await app.get('/', { token })).status).toBe(200);
    await service.processes.api.stop();
    expect((await app.get('/', { token })).status).toBe(200);
  }, 40_000);
});
