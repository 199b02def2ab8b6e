import { randomUUID } from 'node:crypto';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { ERRORS, type ErrorCode } from '../../src/contracts/errors';
import { type GrpcAnswer, type UnaryMethod, useGrpcClient } from '../support/grpc-client';
import type { Answer } from '../support/http-client';
import { protectedPerson, staleCode } from '../support/mfa';
import { logIn, newPerson, register, signUp } from '../support/people';
import { useTestService } from '../support/service';

const service = useTestService({ env: { MFA_RECOVERY_WAIT: '1h' } });
const grpc = useGrpcClient(service);

/** The table of docs/grpc.md, written once more: codes of gRPC by the status that HTTP answers. */
const EXPECTED: Readonly<Record<number, string>> = {
  ...{ 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' },
  ...{ 408: 'DEADLINE_EXCEEDED', 409: 'FAILED_PRECONDITION', 410: 'FAILED_PRECONDITION', 413: 'RESOURCE_EXHAUSTED' },
  ...{ 422: 'INVALID_ARGUMENT', 429: 'RESOURCE_EXHAUSTED', 503: 'UNAVAILABLE' },
};
const PASSWORD = 'a good long secret 93';
const NOBODYS_ID = '019a0000-0000-7000-8000-000000000000';

type Call = () => Promise<GrpcAnswer<unknown>>;
type Request = () => Promise<Answer>;

/** `/consents/0/faydaId` of HTTP is `consents[0].fayda_id`. */
const toProtoPath = (path: string): string =>
  path
    .replace(/^\//, '')
    .replaceAll(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const expectSame = async (call: Call, request: Request, code: ErrorCode): Promise<void> => {
  const [overGrpc, overHttp] = [await call(), await request()];
  expect({ status: overHttp.status, code: overHttp.body.code }).toEqual({ status: ERRORS[code].status, code });
  expect(overGrpc).toMatchObject({
    ...{ code: EXPECTED[overHttp.status], reason: code, domain: 'meqenet.et', text: ERRORS[code].title },
    requestId: expect.stringMatching(/^[A-Za-z0-9._-]{8,64}$/),
    localized: { locale: 'en', message: overHttp.body.detail },
  });
  const complaints = (overHttp.body.errors ?? []) as { path: string; code: string }[];
  expect(overGrpc.violations.map(({ field, reason }) => [field, reason].join(' ')).sort()).toEqual(
    complaints.map((each) => [toProtoPath(each.path), each.code].join(' ')).sort(),
  );
  expect(overGrpc.retryAfterMs !== undefined).toBe(overHttp.headers.has('retry-after'));
  for (const name of ['retry-after', 'ratelimit', 'ratelimit-policy'])
    expect(overGrpc.trailers.get(name).length).toBe(overHttp.headers.has(name) ? 1 : 0);
};

const call =
  (name: UnaryMethod, request: object, metadata: Record<string, string> = {}): Call =>
  () =>
    grpc.call(name, request, { metadata });
const post =
  (path: string, body: unknown, headers: Record<string, string> = {}): Request =>
  () =>
    service.http.post(path, body, { headers });

describe('bad input is the same at both doors', () => {
  const good = () => ({ email: newPerson().email, password: PASSWORD });
  const registrations: [string, () => Record<string, unknown>][] = [
    ['nothing at all', () => ({})],
    ['an address that is none', () => ({ ...good(), email: 'nobody' })],
    ['an address with a line break', () => ({ ...good(), email: 'a@example.et\r\nBcc: b@example.et' })],
    ['a password that is too short', () => ({ ...good(), password: 'short' })],
    ['a password that everybody has', () => ({ ...good(), password: 'password123' })],
    ['a password that is too long', () => ({ ...good(), password: 'x1y'.repeat(60) })],
    ['a phone of nowhere', () => ({ ...good(), phone: '12' })],
    ['a Fayda number with 11 digits', () => ({ ...good(), faydaId: '12345678901' })],
    ['a name with a control character', () => ({ ...good(), firstName: 'A\u0007' })],
    ['a name of 10,000 characters', () => ({ ...good(), lastName: 'x'.repeat(10_000) })],
    ['a language that is not spoken here', () => ({ ...good(), locale: 'fr' })],
    ['an empty field that may be left out', () => ({ ...good(), phone: '', firstName: '' })],
    [
      'the second consent without a version',
      () => ({
        ...good(),
        consents: [
          { purpose: 'marketing', version: '2026-01' },
          { purpose: 'marketing', version: '' },
        ],
      }),
    ],
    [
      '21 consents',
      () => ({ ...good(), consents: Array.from({ length: 21 }, () => ({ purpose: 'a', version: 'b' })) }),
    ],
    ['many faults at once', () => ({ email: 'x', password: 'y', phone: 'z', faydaId: '1', locale: 'xx' })],
  ];

  it.each(registrations)('registration: %s', async (_, make) => {
    const request = make();
    // What is not set is empty in a message: there a field that must be there cannot be missing.
    const body = { email: '', password: '', ...request };
    await expectSame(call('registerUser', request), post('/v1/auth/register', body), 'validation_failed');
  });

  it.each([
    ['no password', { email: 'a@example.et', password: '' }],
    ['an address that is none', { email: 'x', password: PASSWORD }],
    ['a phone that is none', { phone: 'x', password: PASSWORD }],
    ['nobody', { password: PASSWORD }],
  ])('login: %s', async (_, body: { email?: string; phone?: string; password: string }) => {
    const { email, phone, password } = body;
    const identifier =
      email !== undefined
        ? { $case: 'email', value: email }
        : phone !== undefined
          ? { $case: 'phone', value: phone }
          : undefined;
    await expectSame(
      call('authenticateUser', { identifier, password }),
      post('/v1/auth/login', body),
      'validation_failed',
    );
  });

  it.each(['', 'x', '\u0000', 'x'.repeat(10_000), '😀'.repeat(100)])('refresh token %#', async (refreshToken) => {
    await expectSame(
      call('refreshToken', { refreshToken }),
      post('/v1/auth/refresh', { refreshToken }),
      'validation_failed',
    );
  });

  it.each(['', '12345', '1234567', 'abcdef', '١٢٣٤٥٦'])('code %j of a registration', async (code) => {
    await expectSame(
      call('verifyRegistration', { registrationId: NOBODYS_ID, code }),
      post(`/v1/auth/register/${NOBODYS_ID}/verify`, { code }),
      'validation_failed',
    );
  });

  it.each([
    { mfaToken: '', factor: 'totp', code: '123456' },
    { mfaToken: 'x', factor: 'totp', code: '' },
    { mfaToken: 'x', factor: 'passkey', code: '123456' },
    { mfaToken: 'x', factor: '', code: '123456' },
  ])('second factor %j', async (body) => {
    await expectSame(call('completeMfa', body), post('/v1/auth/login/mfa', body), 'validation_failed');
  });

  it('a key that is none', async () => {
    const headers = { 'idempotency-key': 'x' };
    await expectSame(
      call('refreshToken', { refreshToken: 'x'.repeat(43) }, headers),
      post('/v1/auth/refresh', { refreshToken: 'x'.repeat(43) }, headers),
      'invalid_idempotency_key',
    );
  });
});

describe('what is refused is refused the same at both doors', () => {
  const person = newPerson();
  let registrationId = '';
  beforeAll(async () => {
    await signUp(service, person);
    registrationId = (await register(service, newPerson())).body.registrationId as string;
  });

  it('wrong credentials, whether or not there is an account', async () => {
    for (const email of [person.email, newPerson().email])
      await expectSame(
        call('authenticateUser', { identifier: { $case: 'email', value: email }, password: PASSWORD }),
        post('/v1/auth/login', { email, password: PASSWORD }),
        'invalid_credentials',
      );
  });

  it('tokens that are nobody’s', async () => {
    const refreshToken = (await logIn(service, person)).body.refreshToken as string;
    const stranger = `${refreshToken.slice(0, -6)}AAAAAA`;
    await expectSame(
      call('refreshToken', { refreshToken: stranger }),
      post('/v1/auth/refresh', { refreshToken: stranger }),
      'invalid_refresh_token',
    );
    await expectSame(
      call('getUser', { accessToken: 'x' }),
      () => service.http.get('/v1/users/me', { token: 'x' }),
      'invalid_token',
    );
    await expectSame(
      call('logoutUser', { accessToken: 'x' }),
      () => service.http.post('/v1/auth/logout', undefined, { token: 'x' }),
      'invalid_token',
    );
  });

  it('codes that are wrong, and registrations that are not there', async () => {
    const code = '000000';
    await expectSame(
      call('verifyRegistration', { registrationId: NOBODYS_ID, code }),
      post(`/v1/auth/register/${NOBODYS_ID}/verify`, { code }),
      'registration_not_found',
    );
    const stale = { registrationId, code };
    await expectSame(
      call('verifyRegistration', stale),
      post(`/v1/auth/register/${registrationId}/verify`, { code }),
      'invalid_code',
    );
  });

  it('second factors that are wrong', async () => {
    const { person: owner, secret } = await protectedPerson(service);
    const { body } = await logIn(service, owner);
    const attempt = { mfaToken: body.mfaToken as string, factor: 'totp', code: staleCode(secret) };
    await expectSame(call('completeMfa', attempt), post('/v1/auth/login/mfa', attempt), 'invalid_code');
    const stranger = { ...attempt, mfaToken: `${attempt.mfaToken.slice(0, -6)}AAAAAA` };
    await expectSame(call('completeMfa', stranger), post('/v1/auth/login/mfa', stranger), 'invalid_mfa_token');
  });

  it('a key that was used for something else', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const { email, password } = person;
    await service.http.post('/v1/auth/login', { email, password }, { headers });
    await expectSame(
      call('authenticateUser', { identifier: { $case: 'email', value: email }, password: PASSWORD }, headers),
      post('/v1/auth/login', { email, password: PASSWORD }, headers),
      'idempotency_key_reused',
    );
  });
});

describe('texts of errors', () => {
  const ETHIOPIC = /\p{Script=Ethiopic}/u;

  it('are in the language that is asked for', async () => {
    const answer = await call('registerUser', { email: 'x' }, { 'accept-language': 'am, en;q=0.5' })();
    expect(answer.localized).toEqual({ locale: 'am', message: expect.stringMatching(ETHIOPIC) });
    expect(answer.text).toBe(ERRORS.validation_failed.title);
    // Weights count, and what comes before in languages that there are not does not, as over HTTP.
    for (const languages of ['ti, am;q=0.9, en;q=0.8', 'en;q=0.5,am']) {
      const { localized } = await call('registerUser', { email: 'x' }, { 'accept-language': languages })();
      expect(localized?.locale).toBe('am');
    }
    const english = await call('registerUser', { email: 'x' }, { 'accept-language': 'fr' })();
    expect(english.localized).toMatchObject({ locale: 'en' });
  });

  it('name the request by the id that was given', async () => {
    const requestId = `order-${randomUUID()}`;
    expect(await call('registerUser', {}, { 'x-request-id': requestId })()).toMatchObject({ requestId });
    const strange = await call('registerUser', {}, { 'x-request-id': 'a b' })();
    expect(strange.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('repeat nothing of what was sent', async () => {
    const canary = 'kanarienvogel';
    const request = { email: `${canary}@`, password: canary, phone: canary, faydaId: canary, locale: canary };
    const answer = await call('registerUser', request)();
    const all = JSON.stringify([answer, answer.trailers.getMap(), answer.trailers.get('grpc-status-details-bin')]);
    const details = answer.trailers.get('grpc-status-details-bin').map(String).join();
    expect(details).toContain('validation_failed');
    expect(all + details).not.toContain(canary);
  });
});
