import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { createPayloadCodec } from '../../src/temporal/payload-codec';
import { connectAsSuperuser } from '../support/audit';
import { base64, type EncodedRun, type JsonPayload, registeredRun, textOf } from '../support/codec';
import { createHttpClient, type HttpClient } from '../support/http-client';
import { completeLogin, letStepsPass } from '../support/mfa';
import { useTestService } from '../support/service';
import { type Account, freshToken, hire } from '../support/staff';
import { staticDataKeys } from '../support/static-keys';

const service = useTestService({ processes: ['api', 'worker', 'consumer', 'codec-server'] });
let codecUrl = '';
let uiOrigin = '';
let http: HttpClient;
let run: EncodedRun;
let officer: Account;

beforeAll(async () => {
  codecUrl = `http://localhost:${String(service.stack.ports.codecServer)}`;
  uiOrigin = service.stack.temporalUiUrl;
  http = createHttpClient(codecUrl);
  run = await registeredRun(service);
  officer = await hire(service, 'COMPLIANCE');
});

type Headers = Record<string, string>;
const decode = (headers: Headers, payloads: readonly unknown[] = run.input) =>
  http.post('/decode', { payloads }, { headers: { 'x-namespace': 'default', ...headers } });
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
/** As the sign-in page does. @returns what the browser keeps */
const cookieOf = async (token: string): Promise<string> => {
  const { status, headers } = await http.post('/session', undefined, { token, headers: { origin: codecUrl } });
  expect(status).toBe(204);
  const cookie = headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^meqenet-codec=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=900$/);
  return cookie.split(';')[0] ?? '';
};
const decodedEvents = async (userId: string) => {
  const { rows } = await service.database.query(
    `SELECT action, outcome, details FROM audit_events WHERE actor_id = $1 AND action = 'workflow.decoded' ORDER BY sequence`,
    [userId],
  );
  return rows as { details: unknown }[];
};

describe('the codec server', () => {
  it('decodes for an operator with the right, by token and by cookie, and records who read how much', async () => {
    const byToken = await decode(bearer(officer.token));
    expect(byToken.status).toBe(200);
    expect(byToken.headers.get('cache-control')).toBe('no-store');
    const [first] = byToken.body.payloads as JsonPayload[];
    expect(textOf(first!)).toContain('"personId"');
    expect(run.input.map(textOf).join()).not.toContain('personId');

    const cookie = await cookieOf(officer.token);
    const byCookie = await decode({ cookie, origin: uiOrigin });
    expect(byCookie).toMatchObject({ status: 200, body: byToken.body });
    expect(byCookie.headers.get('access-control-allow-origin')).toBe(uiOrigin);
    expect(byCookie.headers.get('access-control-allow-credentials')).toBe('true');

    const details = JSON.stringify({ namespace: 'default', payloads: run.input.length });
    expect(await decodedEvents(officer.userId)).toEqual([
      { action: 'workflow.decoded', outcome: 'success', details },
      { action: 'workflow.decoded', outcome: 'success', details },
    ]);
  });

  it('passes on what was never encrypted, and refuses as a whole what it cannot decode', async () => {
    const clear = { metadata: { encoding: base64('json/plain') }, data: base64('"Abebe"') };
    expect((await decode(bearer(officer.token), [clear])).body).toEqual({ payloads: [clear] });
    const keyId = Buffer.from(run.input[0]?.metadata['encryption-key-id'] ?? '', 'base64').toString();
    const forge = async (id: string) => {
      const codec = createPayloadCodec(staticDataKeys({ [id]: randomBytes(32) }));
      const [sealed] = await codec.encode([{ metadata: {}, data: Buffer.from('secret') }]);
      const toText = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
      const metadata = Object.fromEntries(Object.entries(sealed?.metadata ?? {}).map(([k, v]) => [k, toText(v)]));
      return { metadata, data: toText(sealed?.data) };
    };
    for (const payload of [await forge('k2'), await forge(keyId), { ...run.input[0], data: 'AAAA' }]) {
      const { status, body } = await decode(bearer(officer.token), [clear, payload]);
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'payload_not_decodable' });
    }
  });

  it('tells nothing to whoever has no session, no right, no second factor, or a session that has ended', async () => {
    expect(await decode({})).toMatchObject({ status: 401 });
    expect(await decode(bearer('nonsense'))).toMatchObject({ status: 401 });
    const denied: Account[] = [];
    for (const role of ['SUPPORT', 'DEVELOPER', 'MERCHANT'] as const) {
      const member = await hire(service, role);
      denied.push(member);
      expect(await decode(bearer(member.token))).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(await http.post('/session', undefined, { token: member.token })).toMatchObject({ status: 403 });
      expect(await decodedEvents(member.userId)).toEqual([]);
    }
    const refusals = await service.database.query(
      `SELECT details FROM audit_events WHERE action = 'access.denied' AND actor_id = $1`,
      [denied[0]?.userId],
    );
    expect(refusals.rows).toContainEqual({ details: JSON.stringify({ permission: 'workflows:decode' }) });

    const admin = await hire(service, 'ADMIN');
    const cookie = await cookieOf(admin.token);
    await service.database.query(`UPDATE sessions SET acr = 'aal1', strong = false WHERE id = $1`, [admin.sessionId]);
    const stepUp = { status: 403, body: { code: 'step_up_required' } };
    expect(await decode({ cookie, origin: uiOrigin })).toMatchObject(stepUp);
    await service.database.query(
      `UPDATE sessions SET acr = 'aal2', strong = true, auth_time = now() - interval '13 hours' WHERE id = $1`,
      [admin.sessionId],
    );
    expect(await decode({ cookie, origin: uiOrigin })).toMatchObject(stepUp);
    await service.database.query(`UPDATE sessions SET auth_time = now() WHERE id = $1`, [admin.sessionId]);
    expect(await decode({ cookie, origin: uiOrigin })).toMatchObject({ status: 200 });
    // Ended through the API, gone here at once.
    await service.http.post('/v1/auth/logout', undefined, { token: admin.token });
    expect(await decode({ cookie, origin: uiOrigin })).toMatchObject({ status: 401 });
  });

  it('tells nothing that it cannot record', async () => {
    const superuser = connectAsSuperuser(service.stack);
    try {
      await superuser.query('REVOKE INSERT ON audit_events FROM meqenet_app');
      const { status, body } = await decode(bearer(officer.token));
      expect(status).toBe(500);
      expect(JSON.stringify(body)).not.toContain('payloads');
    } finally {
      await superuser.query('GRANT INSERT ON audit_events TO meqenet_app');
      await superuser.end();
    }
    expect(await decode(bearer(officer.token))).toMatchObject({ status: 200 });
  });

  it.each(['https://evil.example', 'http://localhost:1', 'http://localhost:8233.evil.example', 'null'])(
    'gives a page of %s nothing, with the cookie or a token',
    async (origin) => {
      const cookie = await cookieOf(officer.token);
      for (const headers of [{ cookie }, bearer(officer.token)]) {
        const answer = await decode({ ...headers, origin });
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
      const method = { 'access-control-request-method': 'POST' };
      const preflight = await http.send('OPTIONS', '/decode', { headers: { origin, ...method } });
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
      // A login or a session of somebody else cannot be slipped in either.
      for (const path of ['/session', '/v1/auth/login'])
        expect(await http.post(path, {}, { token: officer.token, headers: { origin } })).toMatchObject({ status: 403 });
    },
  );

  it('takes the cookie from pages of the UI alone, after a preflight', async () => {
    const cookie = await cookieOf(officer.token);
    const preflight = await http.send('OPTIONS', '/decode', {
      headers: {
        origin: uiOrigin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-namespace',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(uiOrigin);
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
    // Its own pages, and what is no browser, have no business with it.
    expect(await decode({ cookie })).toMatchObject({ status: 401 });
    expect(await decode({ cookie, origin: codecUrl })).toMatchObject({ status: 403 });
    const form = { cookie, origin: uiOrigin, 'content-type': 'text/plain' };
    expect(await decode(form)).toMatchObject({ status: 415 });
    expect(await decode({ cookie, origin: uiOrigin, 'x-namespace': '' })).toMatchObject({ status: 400 });
  });

  it('answers under its own name only', async () => {
    const statusUnder = (host: string, path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const { codecServer: port } = service.stack.ports;
        const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.once('error', reject).end();
      });
    const own = new URL(codecUrl).host;
    expect(await statusUnder(own, '/sign-in')).toBe(200);
    expect(await statusUnder(own.replace('localhost', '127.0.0.1'), '/sign-in')).toBe(200);
    for (const host of ['rebound.example', `rebound.example:${own.split(':')[1] ?? ''}`, 'localhost'])
      expect(await statusUnder(host, '/sign-in')).not.toBe(200);
    expect(await statusUnder('10.0.0.7', '/healthz')).toBe(200);
  });

  it('takes a history but no flood, and cannot encode', async () => {
    const { token } = officer;
    const big = { metadata: { encoding: base64('json/plain') }, data: 'A'.repeat(1_048_576) };
    expect(
      await decode(
        bearer(token),
        Array.from({ length: 5 }, () => big),
      ),
    ).toMatchObject({ status: 200 });
    expect(
      await decode(
        bearer(token),
        Array.from({ length: 11 }, () => big),
      ),
    ).toMatchObject({ status: 413 });
    expect(
      await decode(
        bearer(token),
        Array.from({ length: 1_001 }, () => ({})),
      ),
    ).toMatchObject({ status: 400 });
    for (const body of ['{', '[]', '{"payloads":{}}', '{"payloads":[{"data":"***"}]}', '{"payloads":[{"data":1}]}'])
      expect(await http.post('/decode', body, { token, headers: { 'x-namespace': 'default' } })).toMatchObject({
        status: 400,
      });
    expect(await http.post('/encode', { payloads: [] }, { token })).toMatchObject({ status: 404 });
    expect(await http.get('/v1/users/me', { token })).toMatchObject({ status: 404 });
    expect(await http.get('/decode', { token })).toMatchObject({ status: 405 });
  });

  it('lets operators sign in and out by what the API asks of them', async () => {
    const { person, userId } = officer;
    await letStepsPass(service, userId);
    const { email, password } = person;
    const own = { origin: codecUrl };
    const first = await http.post('/v1/auth/login', { email, password }, { headers: own });
    expect(first.body).toMatchObject({ mfaRequired: true });
    const wrong = await completeLogin({ ...service, http }, first.body.mfaToken as string, '000000');
    expect(wrong).toMatchObject({ status: 422 });
    const token = await freshToken({ ...service, http }, officer);
    const cookie = await cookieOf(token);
    expect(await decode({ cookie, origin: uiOrigin })).toMatchObject({ status: 200 });
    const closed = await http.send('DELETE', '/session', { headers: own });
    expect(closed.headers.get('set-cookie')).toMatch(/^meqenet-codec=; .*Max-Age=0/);
  });
});
