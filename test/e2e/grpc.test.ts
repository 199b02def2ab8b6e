import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';

import type { Tokens } from '../../src/generated/proto/auth/v1/auth';
import { eventually } from '../support/eventually';
import { messageOf, stackToken, useGrpcClient } from '../support/grpc-client';
import { appCode, letStepsPass, protectedPerson, staleCode } from '../support/mfa';
import { mailedCode, newFaydaId, newPerson, newPhone, type Person, signUp, wrongCode } from '../support/people';
import { useTestService } from '../support/service';

const service = useTestService({ env: { MFA_REMEMBER_DEVICE_FOR: '30d' } });
const grpc = useGrpcClient(service);

const identifiedBy = ({ email }: Pick<Person, 'email'>) => ({ $case: 'email', value: email }) as const;
const logIn = async ({ email, password }: Person): Promise<Tokens> => {
  const { result } = messageOf(await grpc.call('authenticateUser', { identifier: identifiedBy({ email }), password }));
  if (result?.$case !== 'tokens') throw new Error('A second factor is asked for');
  return result.value;
};
const isValid = async (accessToken: string): Promise<boolean> =>
  messageOf(await grpc.call('validateToken', { accessToken })).valid;

describe('a person, from nothing to the end of the last session', () => {
  const person = newPerson({ phone: newPhone(), faydaId: newFaydaId(), firstName: 'Abebe', lastName: 'Bikila' });

  it('registers, proves the address with the code that was mailed, and has an account and a session', async () => {
    const before = Date.now();
    const { registrationId, status, expiresAt } = messageOf(
      await grpc.call('registerUser', {
        ...person,
        locale: 'en',
        consents: [{ purpose: 'marketing', version: '2026-01' }],
      }),
    );
    expect(status).toBe('verification_pending');
    expect(expiresAt?.getTime()).toBeGreaterThan(before);
    const mailed = await mailedCode(service, person.email);
    const wrong = await grpc.call('verifyRegistration', { registrationId, code: wrongCode(mailed) });
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'invalid_code' });

    const { tokens, user } = messageOf(await grpc.call('verifyRegistration', { registrationId, code: mailed }));
    expect(user).toMatchObject({
      ...{ email: person.email, emailVerified: true, phone: person.phone, phoneVerified: false },
      ...{ firstName: 'Abebe', lastName: 'Bikila', locale: 'en', roles: ['CUSTOMER'], restrictions: [] },
      faydaId: expect.stringMatching(new RegExp(`^[^0-9]*${(person.faydaId ?? '').slice(-4)}$`)),
    });
    expect(user?.createdAt?.getTime()).toBeGreaterThan(before - 1_000);
    expect(tokens).toMatchObject({ expiresIn: { seconds: 900, nanos: 0 }, mfaEnrollmentRequired: false });
    // It is the account that the HTTP API knows.
    const http = await service.http.get('/v1/users/me', { token: tokens?.accessToken ?? '' });
    expect(http.body).toMatchObject({ id: user?.id, email: person.email });
    const consents = await service.http.get('/v1/users/me/consents', { token: tokens?.accessToken ?? '' });
    expect(JSON.stringify(consents.body)).toContain('2026-01');
  });

  it('logs in by address and by phone, and not with another password', async () => {
    const { accessToken, sessionId } = await logIn(person);
    expect(decodeJwt(accessToken)).toMatchObject({ sid: sessionId, acr: 'aal1' });
    const { email } = person;
    const answer = await grpc.call('authenticateUser', { identifier: identifiedBy({ email }), password: randomUUID() });
    expect(answer).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'invalid_credentials', domain: 'meqenet.et' });
  });

  it('has tokens that are validated, with what they allow', async () => {
    const { accessToken, sessionId } = await logIn(person);
    const claims = decodeJwt(accessToken);
    expect(messageOf(await grpc.call('validateToken', { accessToken }))).toEqual({
      ...{ valid: true, subject: claims.sub, roles: ['CUSTOMER'], permissions: [], sessionId },
      ...{ acr: 'aal1', amr: ['pwd'] },
      authTime: new Date(Number(claims['auth_time']) * 1_000),
      expiresAt: new Date(Number(claims.exp) * 1_000),
    });
    for (const wrong of ['', 'x', `${accessToken}x`, accessToken.split('.').slice(0, 2).join('.')])
      expect(messageOf(await grpc.call('validateToken', { accessToken: wrong }))).toEqual({
        ...{ valid: false, subject: '', roles: [], permissions: [], sessionId: '', acr: '', amr: [] },
        ...{ authTime: undefined, expiresAt: undefined },
      });
  });

  it('refreshes: the next tokens work, and a refresh token that is shown long after its use ends the session', async () => {
    const first = await logIn(person);
    const { tokens: second } = messageOf(await grpc.call('refreshToken', { refreshToken: first.refreshToken }));
    expect(second?.sessionId).toBe(first.sessionId);
    expect(second?.refreshToken).not.toBe(first.refreshToken);
    const { tokens: third } = messageOf(await grpc.call('refreshToken', { refreshToken: second?.refreshToken ?? '' }));
    expect(await isValid(third?.accessToken ?? '')).toBe(true);
    await service.database.query(
      `UPDATE refresh_tokens SET rotated_at = rotated_at - interval '1 hour' WHERE session_id = $1`,
      [first.sessionId],
    );
    // Whoever shows it has stolen it, or was stolen from.
    const stolen = await grpc.call('refreshToken', { refreshToken: first.refreshToken });
    expect(stolen).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'invalid_refresh_token' });
    expect(await isValid(third?.accessToken ?? '')).toBe(false);
  });

  it('sees the account', async () => {
    const { accessToken } = await logIn(person);
    const { user } = messageOf(await grpc.call('getUser', { accessToken }));
    expect(user).toMatchObject({ email: person.email, phone: person.phone, firstName: 'Abebe' });
    for (const wrong of ['', 'x'])
      expect(await grpc.call('getUser', { accessToken: wrong })).toMatchObject({ reason: 'invalid_token' });
  });

  it('logs out, and no token of the session is valid from that moment on, at either door', async () => {
    const { accessToken, refreshToken } = await logIn(person);
    expect(await isValid(accessToken)).toBe(true);
    expect(await grpc.call('logoutUser', { accessToken })).toMatchObject({ code: 'OK' });
    expect(await isValid(accessToken)).toBe(false);
    expect(await grpc.call('refreshToken', { refreshToken })).toMatchObject({ reason: 'invalid_refresh_token' });
    expect((await service.http.get('/v1/users/me', { token: accessToken })).status).toBe(401);
    expect(await grpc.call('logoutUser', { accessToken })).toMatchObject({ reason: 'invalid_token' });
  });

  it('is logged out over HTTP, and the next validation says so', async () => {
    const { accessToken } = await logIn(person);
    expect(await isValid(accessToken)).toBe(true);
    expect((await service.http.post('/v1/auth/logout', undefined, { token: accessToken })).status).toBe(204);
    expect(await isValid(accessToken)).toBe(false);
  });
});

describe('somebody with a second factor', () => {
  const challenge = async ({ email, password }: Person, metadata = {}) => {
    const request = { identifier: identifiedBy({ email }), password };
    const { result } = messageOf(await grpc.call('authenticateUser', request, { metadata }));
    if (result?.$case !== 'mfaChallenge') throw new Error('No second factor is asked for');
    return result.value;
  };

  it('shows it after the password, and has a session of two factors', async () => {
    const { person, secret } = await protectedPerson(service);
    const { mfaToken, factors, expiresIn } = await challenge(person);
    expect([...factors].sort()).toEqual(['recovery_code', 'totp']);
    expect(expiresIn?.seconds).toBeGreaterThan(60);
    const attempt = { mfaToken, factor: 'totp' };
    expect(await grpc.call('completeMfa', { ...attempt, code: staleCode(secret) })).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', reason: 'invalid_code' },
    });
    const { tokens, deviceToken } = messageOf(await grpc.call('completeMfa', { ...attempt, code: appCode(secret) }));
    expect(deviceToken).toBeUndefined();
    const { acr, amr } = messageOf(await grpc.call('validateToken', { accessToken: tokens?.accessToken ?? '' }));
    expect(acr).toBe('aal2');
    expect([...amr].sort()).toEqual(['mfa', 'otp', 'pwd']);
  });

  it('lets the device be remembered, which then logs in with the password alone', async () => {
    const { person, secret, userId } = await protectedPerson(service);
    await letStepsPass(service, userId);
    const metadata = { 'x-device-id': 'the-phone-of-its-owner', 'x-client-user-agent': 'Firefox/133.0' };
    const { mfaToken } = await challenge(person, metadata);
    const { deviceToken, deviceTokenExpiresAt } = messageOf(
      await grpc.call(
        'completeMfa',
        { mfaToken, factor: 'totp', code: appCode(secret), rememberDevice: true },
        { metadata },
      ),
    );
    expect(deviceToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(deviceTokenExpiresAt?.getTime()).toBeGreaterThan(Date.now());
    const { email, password } = person;
    const again = await grpc.call(
      'authenticateUser',
      { identifier: identifiedBy({ email }), password },
      { metadata: { ...metadata, 'x-device-token': deviceToken ?? '' } },
    );
    expect(messageOf(again).result?.$case).toBe('tokens');
  });
});

describe('a call that is repeated under its idempotency-key', () => {
  it('gets the first answer, and happens once', async () => {
    const person = newPerson();
    await signUp(service, person);
    const { email, password } = person;
    const request = { identifier: identifiedBy({ email }), password };
    const metadata = { 'idempotency-key': randomUUID() };
    const first = await grpc.call('authenticateUser', request, { metadata });
    const second = await grpc.call('authenticateUser', request, { metadata });
    expect(messageOf(second)).toEqual(messageOf(first));
    expect(first.headers.get('idempotency-replayed')).toEqual([]);
    expect(second.headers.get('idempotency-replayed')).toEqual(['true']);
    // The key is the operation's, whichever door it is shown at.
    const http = await service.http.post('/v1/auth/login', { email, password }, { headers: metadata });
    expect(http.headers.get('idempotency-replayed')).toBe('true');
    const { result } = messageOf(first);
    expect(result).toMatchObject({ $case: 'tokens', value: { sessionId: http.body.sessionId } });
    const other = await grpc.call('authenticateUser', { ...request, password: randomUUID() }, { metadata });
    expect(other).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'idempotency_key_reused' });
    const malformed = await grpc.call('authenticateUser', request, { metadata: { 'idempotency-key': 'short' } });
    expect(malformed).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'invalid_idempotency_key' });
  });

  it('registers once', async () => {
    const person = newPerson();
    const metadata = { 'idempotency-key': randomUUID() };
    const answers = [];
    for (let times = 0; times < 3; times += 1) answers.push(await grpc.call('registerUser', person, { metadata }));
    expect(new Set(answers.map((answer) => messageOf(answer).registrationId)).size).toBe(1);
    await mailedCode(service, person.email);
    expect(await service.mailbox.to(person.email)).toHaveLength(1);
  });
});

describe('the log', () => {
  it('tells of calls without a person, a secret or a token in it', async () => {
    const person = newPerson({ phone: newPhone(), faydaId: newFaydaId(), firstName: 'Sentinelfirst' });
    const { body } = await signUp(service, person);
    const metadata = {
      ...{ 'x-request-id': `sentinel-${randomUUID()}`, 'x-client-user-agent': 'SentinelAgent/1' },
      ...{ 'x-client-address': '203.0.113.77', 'x-device-id': 'sentinel-device-1', 'idempotency-key': randomUUID() },
    };
    const { email, password } = person;
    await grpc.call('registerUser', person, { metadata });
    const login = await grpc.call('authenticateUser', { identifier: identifiedBy(person), password }, { metadata });
    const { result } = messageOf(login);
    const tokens = result?.$case === 'tokens' ? result.value : undefined;
    await grpc.call('validateToken', { accessToken: tokens?.accessToken ?? '' }, { metadata });
    await grpc.call('refreshToken', { refreshToken: tokens?.refreshToken ?? '' }, { metadata: {} });
    await grpc.call('getUser', { accessToken: 'sentinel-no-token' }, { metadata });
    await grpc.raw('/auth.v1.AuthService/GetUser', Buffer.from('sentinel-garbage'), { metadata });
    await grpc.call('validateToken', {}, { serviceToken: 'sentinel-service-token-of-32-characters' });
    const readLog = () => readFileSync(join(service.stack.logDir, 'api.log'), 'utf8');
    // The last call of all; lines are collected before they are written.
    const log = await eventually('the lines of all calls', async () => {
      const text = readLog();
      return text.includes('"method":"ValidateToken","status":"UNAUTHENTICATED"') && text;
    });
    const calls = log
      .split('\n')
      .filter((line) => line.includes(metadata['x-request-id']))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(calls.filter(({ method }) => method === 'ValidateToken')).toEqual([
      expect.objectContaining({ status: 'OK', caller: 'stack', durationMs: expect.any(Number) }),
    ]);
    const secrets = [
      ...[email, password, person.phone, person.faydaId, 'Sentinelfirst', 'SentinelAgent', '203.0.113.77'],
      ...[tokens?.accessToken, tokens?.refreshToken, body.accessToken, body.refreshToken, metadata['idempotency-key']],
      ...['sentinel-no-token', 'sentinel-garbage', 'sentinel-service-token', 'sentinel-device', stackToken(service)],
    ];
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});
