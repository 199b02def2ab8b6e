import { decodeJwt } from 'jose';
import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import { eventually } from '../../support/eventually';
import type { Answer } from '../../support/http-client';
import {
  appCode,
  completeLogin,
  letStepsPass,
  listFactors,
  logInFully,
  MFA_DISABLED_SUBJECT,
  RECOVERY_CODE_USED_SUBJECT,
  type Protected,
  protectedPerson,
  staleCode,
  stepUp,
  turnOn,
} from '../../support/mfa';
import { changePassword } from '../../support/passwords';
import { logIn, mailedCode, newPerson, register, signUp } from '../../support/people';
import { expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';

const INVALID_CODE = { status: 422, code: 'invalid_code' };
const INVALID_TOKEN = { status: 401, code: 'invalid_mfa_token' };
const STEP_UP = { status: 403, code: 'step_up_required' };
const NEW_PASSWORD = 'quite another long secret';
const PHONE = { 'x-device-id': 'the-phone-of-its-owner' };

const service = useSharedService();
const begin = async ({ person }: Pick<Protected, 'person'>): Promise<string> => {
  const { status, body } = await logIn(service, person);
  expect(status).toBe(200);
  expect(body).toEqual({
    mfaRequired: true,
    mfaToken: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    factors: ['totp', 'recovery_code'],
    expiresIn: 600,
  });
  return body.mfaToken as string;
};
const claimsOf = ({ body }: Answer) => decodeJwt(body.accessToken as string);
const remove = (token: string, id: string) => service.http.send('DELETE', `/v1/auth/mfa/factors/${id}`, { token });
const renew = (token: string) => service.http.post('/v1/auth/mfa/recovery-codes', undefined, { token });

describe('a login with a second factor', () => {
  it('opens a session of two factors', async () => {
    const owner = await protectedPerson(service);
    const answer = await completeLogin(service, await begin(owner), appCode(owner.secret));
    expect(answer.status).toBe(200);
    expect(claimsOf(answer)).toMatchObject({ sub: owner.userId, acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    expect((await service.http.get('/v1/users/me', { token: answer.body.accessToken as string })).status).toBe(200);
    const refreshed = await service.http.post('/v1/auth/refresh', { refreshToken: answer.body.refreshToken as string });
    expect(claimsOf(refreshed)).toMatchObject({ acr: 'aal2' });
  });

  it('tells nothing of it before the password is right', async () => {
    const [owner, other] = [await protectedPerson(service), newPerson()];
    await signUp(service, other);
    for (const person of [owner.person, other, newPerson()])
      expectProblem(await logIn(service, { ...person, password: 'not the password' }), {
        status: 401,
        code: 'invalid_credentials',
      });
  });

  it('takes a code once for ever, at the same time as well (keycloak#13607)', async () => {
    const owner = await protectedPerson(service);
    const code = appCode(owner.secret);
    const tokens = await Promise.all(Array.from({ length: 6 }, () => begin(owner)));
    const answers = await Promise.all(tokens.map((mfaToken) => completeLogin(service, mfaToken, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, INVALID_CODE);
    expectProblem(await completeLogin(service, await begin(owner), code), INVALID_CODE);
    // An older one is no better, though its step was never shown.
    expectProblem(await completeLogin(service, await begin(owner), appCode(owner.secret, -1)), INVALID_CODE);
  });

  it('takes a recovery code once, however it is typed', async () => {
    const owner = await protectedPerson(service);
    const [first = '', second = ''] = owner.recoveryCodes;
    const typed = first.toLowerCase().replaceAll('-', ' ');
    const tokens = await Promise.all(Array.from({ length: 4 }, () => begin(owner)));
    const answers = await Promise.all(tokens.map((token) => completeLogin(service, token, typed, 'recovery_code')));
    const [good] = answers.filter(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(claimsOf(good!)).toMatchObject({ acr: 'aal2' });
    expectProblem(await completeLogin(service, await begin(owner), first, 'recovery_code'), INVALID_CODE);
    expectProblem(await completeLogin(service, await begin(owner), second, 'totp'), INVALID_CODE);
    expect((await listFactors(service, owner.token)).body.recoveryCodesLeft).toBe(9);
    const told = await service.mailbox.waitFor(owner.person.email, RECOVERY_CODE_USED_SUBJECT);
    expect(told.map(({ text }) => /\d+ recovery codes are left/.exec(text)?.[0])).toEqual([
      '9 recovery codes are left',
    ]);
    expect((await completeLogin(service, await begin(owner), second, 'recovery_code')).status).toBe(200);
  });

  it('does not take the recovery code of somebody else', async () => {
    const [owner, other] = [await protectedPerson(service), await protectedPerson(service)];
    const [code = ''] = other.recoveryCodes;
    expectProblem(await completeLogin(service, await begin(owner), code, 'recovery_code'), INVALID_CODE);
  });

  it('bears five codes, also at once, and the token works once', async () => {
    const owner = await protectedPerson(service);
    const mfaToken = await begin(owner);
    const wrong = await Promise.all(
      Array.from({ length: 12 }, () => completeLogin(service, mfaToken, staleCode(owner.secret))),
    );
    expect(wrong.filter(({ body }) => body.code === 'invalid_code')).toHaveLength(5);
    expectProblem(await completeLogin(service, mfaToken, appCode(owner.secret)), INVALID_TOKEN);
    const failed = await auditEventsOf(service.database, owner.userId, 'login.failed');
    expect(failed).toHaveLength(5);
    const next = await begin(owner);
    expect((await completeLogin(service, next, appCode(owner.secret))).status).toBe(200);
    await letStepsPass(service, owner.userId);
    expectProblem(await completeLogin(service, next, appCode(owner.secret)), INVALID_TOKEN);
  });

  it('is bound to its device, whose tries nobody else uses up', async () => {
    const owner = await protectedPerson(service);
    const { email, password } = owner.person;
    const { body } = await service.http.post('/v1/auth/login', { email, password }, { headers: PHONE });
    const mfaToken = body.mfaToken as string;
    for (let tries = 0; tries < 6; tries += 1)
      expectProblem(await completeLogin(service, mfaToken, appCode(owner.secret)), INVALID_TOKEN);
    expect((await completeLogin(service, mfaToken, appCode(owner.secret), 'totp', PHONE)).status).toBe(200);
  });

  it('is over after ten minutes, and with a change of the password', async () => {
    const owner = await protectedPerson(service);
    const late = await begin(owner);
    await service.database.query(`UPDATE login_challenges SET expires_at = now() WHERE user_id = $1`, [owner.userId]);
    expectProblem(await completeLogin(service, late, appCode(owner.secret)), INVALID_TOKEN);
    const overtaken = await begin(owner);
    expect((await changePassword(service, owner.token, owner.person.password, NEW_PASSWORD)).status).toBe(204);
    expectProblem(await completeLogin(service, overtaken, appCode(owner.secret)), INVALID_TOKEN);
  });

  it('of a locked account opens nothing', async () => {
    const owner = await protectedPerson(service);
    const mfaToken = await begin(owner);
    await service.database.query(`UPDATE users SET status = 'LOCKED' WHERE id = $1`, [owner.userId]);
    expectProblem(await completeLogin(service, mfaToken, appCode(owner.secret)), INVALID_TOKEN);
  });

  it('is not gone round by the registration, whose last answer can be had again', async () => {
    const person = newPerson();
    const { registrationId } = (await register(service, person)).body as { registrationId: string };
    const code = await mailedCode(service, person.email);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const verifyAgain = async () => {
      // As after a crash before the answer was remembered.
      await service.database.query('DELETE FROM idempotency_keys');
      return service.http.post(`/v1/auth/register/${registrationId}/verify`, { code }, { headers });
    };
    expect((await verifyAgain()).status).toBe(201);
    const { status, body } = await verifyAgain();
    expect(status).toBe(201);
    await turnOn(service, body.accessToken as string);
    expectProblem(await verifyAgain(), { status: 409, code: 'registration_completed' });
  });

  it('delays guesses: the right password buys no further tries', async () => {
    const owner = await protectedPerson(service);
    let delayed = false;
    // Five for each token, and all of them in a row.
    for (let round = 0; round < 12 && !delayed; round += 1) {
      const first = await logIn(service, owner.person);
      delayed = first.status === 429;
      for (let tries = 0; tries < 5 && !delayed; tries += 1) {
        const answer = await completeLogin(service, first.body.mfaToken as string, staleCode(owner.secret));
        delayed = answer.body.code === 'login_delayed';
      }
    }
    // In observe mode nothing is refused, but it is counted.
    const metrics = await (await fetch(`${service.apiUrl}/metrics`)).text();
    expect(metrics).toMatch(/delayed[^\n]*reason="range"[^\n]* [1-9]/);
  });
});

describe('step-up', () => {
  it('makes a session one of two factors, for the acts that need it', async () => {
    const owner = await protectedPerson(service);
    expectProblem(await renew(owner.token), STEP_UP);
    expectProblem(await remove(owner.token, owner.factorId), STEP_UP);
    expectProblem(await stepUp(service, owner.token, staleCode(owner.secret)), INVALID_CODE);
    const raised = await stepUp(service, owner.token, appCode(owner.secret));
    expect(raised.status).toBe(200);
    const claims = claimsOf(raised);
    expect(claims).toMatchObject({ sid: owner.sessionId, acr: 'aal2' });
    expect(new Set(claims['amr'] as string[])).toEqual(new Set(['otp', 'mfa']));
    expect(Date.now() / 1_000 - (claims['auth_time'] as number)).toBeLessThan(10);
    const token = raised.body.accessToken as string;

    const renewed = await renew(token);
    expect(renewed.status).toBe(200);
    const [old = ''] = owner.recoveryCodes;
    const [fresh = ''] = renewed.body.recoveryCodes as string[];
    expect(renewed.body.recoveryCodes).toHaveLength(10);
    expectProblem(await completeLogin(service, await begin(owner), old, 'recovery_code'), INVALID_CODE);
    expect((await completeLogin(service, await begin(owner), fresh, 'recovery_code')).status).toBe(200);

    expectProblem(await remove(token, owner.userId), { status: 404, code: 'factor_not_found' });
    expect((await remove(token, owner.factorId)).status).toBe(204);
    await service.mailbox.waitFor(owner.person.email, MFA_DISABLED_SUBJECT);
    expect((await listFactors(service, token)).body).toEqual({ factors: [], recoveryCodesLeft: 0 });
    expect((await logIn(service, owner.person)).body.accessToken).toBeDefined();
    expectProblem(await renew(token), { status: 404, code: 'factor_not_found' });
    const actions = (await auditEventsOf(service.database, owner.userId)).map(({ action }) => action);
    for (const action of [
      'session.stepped_up',
      'session.step_up_failed',
      'mfa.recovery_codes_renewed',
      'mfa.factor_removed',
    ])
      expect(actions).toContain(action);
  });

  it('is not enough for ever, and tells what is needed (RFC 9470)', async () => {
    const owner = await protectedPerson(service);
    const { body } = await stepUp(service, owner.token, appCode(owner.secret));
    await service.database.query(`UPDATE sessions SET auth_time = now() - interval '11 minutes' WHERE id = $1`, [
      owner.sessionId,
    ]);
    const refused = await renew(body.accessToken as string);
    expectProblem(refused, STEP_UP);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="600"',
    );
  });

  it('asked for under an Idempotency-Key is not what its repetition gets', async () => {
    const owner = await protectedPerson(service);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const again = (token: string) =>
      service.http.post('/v1/auth/mfa/enrollments', { factor: 'totp' }, { token, headers });
    expectProblem(await again(owner.token), STEP_UP);
    const { body } = await stepUp(service, owner.token, appCode(owner.secret));
    expect((await again(body.accessToken as string)).status).toBe(201);
  });

  it('uses the refresh token up as a refresh does: one chain, the same next token for a lost answer, a theft when it is shown late', async () => {
    const owner = await protectedPerson(service);
    const { body: login } = await logInFully(service, owner);
    await letStepsPass(service, owner.userId);
    const { body: raised } = await stepUp(service, login.accessToken as string, appCode(owner.secret));
    expect(raised.sessionId).toBe(login.sessionId);
    const refresh = (refreshToken: unknown) => service.http.post('/v1/auth/refresh', { refreshToken });
    const lost = await refresh(login.refreshToken);
    expect(lost).toMatchObject({ status: 200, body: { refreshToken: raised.refreshToken } });
    expect(claimsOf(lost)).toMatchObject({ acr: 'aal2' });
    const { rows } = await service.database.query(
      'SELECT 1 FROM refresh_tokens WHERE session_id = $1 AND rotated_at IS NULL',
      [raised.sessionId],
    );
    expect(rows).toHaveLength(1);
    const next = await refresh(raised.refreshToken);
    expect(next.status).toBe(200);
    await service.database.query(
      `UPDATE refresh_tokens SET rotated_at = rotated_at - interval '31 seconds' WHERE session_id = $1`,
      [raised.sessionId],
    );
    expectProblem(await refresh(login.refreshToken), { status: 401, code: 'invalid_refresh_token' });
    expectProblem(await refresh(next.body.refreshToken), { status: 401, code: 'invalid_refresh_token' });
  });

  it('without a second factor is refused as a wrong code is', async () => {
    const { body } = await signUp(service, newPerson());
    expectProblem(await stepUp(service, body.accessToken as string, '123456'), INVALID_CODE);
    expectProblem(await renew(body.accessToken as string), STEP_UP);
  });

  it('is in the OpenAPI document', async () => {
    const { body } = await service.http.get('/api/docs/openapi.json');
    const { delete: operation } = body.paths['/v1/auth/mfa/factors/{id}'];
    expect(operation['x-assurance']).toEqual({ acr: 'aal2', maxAge: 600 });
    expect(operation.responses['403'].description).toContain('step_up_required');
  });
});

it('challenges that are over do not pile up', async () => {
  const owner = await protectedPerson(service);
  await service.database.query(`UPDATE login_challenges SET expires_at = now()`);
  await eventually('the old challenges to be gone', async () => {
    await begin(owner);
    const { rows } = await service.database.query('SELECT 1 FROM login_challenges WHERE expires_at <= now()');
    return rows.length === 0;
  });
});
