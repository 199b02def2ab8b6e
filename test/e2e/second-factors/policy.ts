import { decodeJwt } from 'jose';
import { describe, expect, it } from '@jest/globals';

import { readOperations } from '../../support/api-document';
import { join } from '../../support/contact';
import type { Answer } from '../../support/http-client';
import {
  appCode,
  askLoginCode,
  completeLogin,
  confirm,
  enroll,
  enrollSent,
  letStepsPass,
  listFactors,
  mailedFactorCode,
  protectedPerson,
  stepUp,
} from '../../support/mfa';
import { logIn, newPerson, signUp } from '../../support/people';
import { logInWithPasskey, registerPasskey, stepUpWithPasskey } from '../../support/passkeys';
import { expectProblem } from '../../support/problems';
import { startSecondApi } from '../../support/second-process';
import { useSharedService } from '../../support/service';
import { createSoftAuthenticator } from '../../support/soft-authenticator';
import { freshToken, giveApp, giveRoles, hire } from '../../support/staff';

const ENROLL = { status: 403, code: 'mfa_enrollment_required' };
const STEP_UP = { status: 403, code: 'step_up_required' };

const ORIGIN = 'https://app.localhost';
const service = useSharedService();
const rolesIn = ({ body }: Answer) => [...(decodeJwt(body.accessToken as string)['roles'] as string[])].sort();
const me = (token: string) => service.http.get('/v1/users/me', { token });
const listUsers = (token: string) => service.http.get('/v1/admin/users?limit=1', { token });
const remove = (token: string, id: string) => service.http.send('DELETE', `/v1/auth/mfa/factors/${id}`, { token });

/** An administrator without a second factor, as `npm run admin:grant` leaves one. */
const granted = async () => {
  const person = newPerson();
  const { body } = await signUp(service, person);
  await giveRoles(service, body.user.id as string, ['ADMIN']);
  return { person, userId: body.user.id as string };
};

describe('a role that needs a second factor', () => {
  it('lets its holder do nothing but set one up, and comes into force when it is shown', async () => {
    const { person, userId } = await granted();
    const login = await logIn(service, person);
    expect(login).toMatchObject({ status: 200, body: { mfaEnrollmentRequired: true } });
    expect(decodeJwt(login.body.accessToken as string)).toMatchObject({ acr: 'aal1', roles: ['CUSTOMER'] });
    const refreshed = await service.http.post('/v1/auth/refresh', { refreshToken: login.body.refreshToken as string });
    expect(refreshed.body.mfaEnrollmentRequired).toBe(true);
    const token = refreshed.body.accessToken as string;
    for (const refused of [await me(token), await listUsers(token)]) expectProblem(refused, ENROLL);

    const { body } = await enroll(service, token);
    const secret = body.secret as string;
    expect((await confirm(service, token, body.enrollmentId as string, appCode(secret))).status).toBe(200);
    await letStepsPass(service, userId);
    // Set up, and not shown yet.
    expect((await me(token)).body.roles).toEqual(['CUSTOMER']);
    expectProblem(await listUsers(token), STEP_UP);
    const again = await service.http.post('/v1/auth/refresh', { refreshToken: refreshed.body.refreshToken as string });
    expect(again.body.mfaEnrollmentRequired).toBeUndefined();
    expect(rolesIn(again)).toEqual(['CUSTOMER']);

    const raised = await stepUp(service, token, appCode(secret));
    expect(rolesIn(raised)).toEqual(['ADMIN', 'CUSTOMER']);
    const next = await service.http.post('/v1/auth/refresh', { refreshToken: raised.body.refreshToken as string });
    expect(rolesIn(next)).toEqual(['ADMIN', 'CUSTOMER']);
    expect([...((await me(token)).body.roles as string[])].sort()).toEqual(['ADMIN', 'CUSTOMER']);
    expect((await listUsers(token)).status).toBe(200);
    await letStepsPass(service, userId);
    const full = await completeLogin(service, (await logIn(service, person)).body.mfaToken as string, appCode(secret));
    expect(rolesIn(full)).toEqual(['ADMIN', 'CUSTOMER']);
  });

  it('closes every route but those for the enrolment, as the document says', async () => {
    const { person } = await granted();
    const { body } = await service.http.get('/api/docs/openapi.json');
    const open: string[] = [];
    for (const { method, pattern, path, needsToken } of await readOperations(service.http)) {
      if (!needsToken) continue;
      const operation = body.paths[pattern][method.toLowerCase()];
      // Some of them end the session.
      const token = (await logIn(service, person)).body.accessToken as string;
      const answer = await service.http.send(method, path, { token });
      const place = `${method} ${pattern}`;
      if (operation['x-during-enrollment'] === true) open.push(place);
      expect([place, answer.body?.code === ENROLL.code]).toEqual([
        place,
        operation['x-during-enrollment'] !== true &&
          String(operation.responses['403']?.description).includes(ENROLL.code),
      ]);
    }
    expect(open).toEqual(
      expect.arrayContaining([
        'POST /v1/auth/step-up',
        'POST /v1/auth/step-up/challenge',
        'POST /v1/auth/mfa/enrollments',
        'POST /v1/auth/mfa/enrollments/{id}/confirm',
        'DELETE /v1/auth/mfa/enrollments/{id}',
        'GET /v1/auth/mfa/factors',
        'POST /v1/auth/logout',
        'POST /v1/auth/logout-all',
      ]),
    );
    expect(open.filter((place) => !/passkeys|step-up|enrollments|factors|logout/.test(place))).toEqual([]);
  });

  it('that is granted in a running session waits for the factor as well', async () => {
    const owner = await protectedPerson(service);
    await giveRoles(service, owner.userId, ['SUPPORT']);
    expectProblem(await listUsers(owner.token), STEP_UP);
    expect((await me(owner.token)).body.roles).toEqual(['CUSTOMER']);
    await stepUp(service, owner.token, appCode(owner.secret));
    expect((await listUsers(owner.token)).status).toBe(200);
  });

  it('does not count a code by mail: whoever has the mailbox can reset the password as well', async () => {
    const member = await join(service);
    await enrollSent(service, member);
    await giveRoles(service, member.userId, ['SUPPORT']);
    const byMail = async (count: number): Promise<Answer> => {
      const mfaToken = (await logIn(service, member.person)).body.mfaToken as string;
      await askLoginCode(service, mfaToken, 'email_otp');
      return completeLogin(service, mfaToken, await mailedFactorCode(service, member.person.email, count), 'email_otp');
    };
    const login = await byMail(2);
    expect(login).toMatchObject({ status: 200, body: { mfaEnrollmentRequired: true } });
    expect(decodeJwt(login.body.accessToken as string)).toMatchObject({ acr: 'aal2', roles: ['CUSTOMER'] });
    const token = login.body.accessToken as string;
    expectProblem(await listUsers(token), ENROLL);
    const { body } = await enroll(service, token);
    await confirm(service, token, body.enrollmentId as string, appCode(body.secret as string));
    expectProblem(await listUsers(token), STEP_UP);
    await letStepsPass(service, member.userId);
    await stepUp(service, token, appCode(body.secret as string));
    expect((await listUsers(token)).status).toBe(200);
  });

  it('comes into force with a passkey: after the password, alone, and by a step-up', async () => {
    const { person } = await granted();
    const { body } = await logIn(service, person);
    const token = body.accessToken as string;
    const passkey = createSoftAuthenticator({ origin: ORIGIN });
    expect((await registerPasskey(service, token, passkey)).status).toBe(200);
    expectProblem(await listUsers(token), STEP_UP);
    const mfaToken = (await logIn(service, person)).body.mfaToken as string;
    for (const login of [
      await logInWithPasskey(service, passkey, {}, mfaToken),
      await logInWithPasskey(service, passkey),
      await stepUpWithPasskey(service, token, passkey),
    ]) {
      expect(rolesIn(login)).toEqual(['ADMIN', 'CUSTOMER']);
      expect((await listUsers(login.body.accessToken as string)).status).toBe(200);
    }
  });

  it('keeps the last strong factor, which can be replaced and not removed', async () => {
    const account = await hire(service, 'COMPLIANCE');
    await service.database.query(`UPDATE users SET phone_changed_at = NULL WHERE id = $1`, [account.userId]);
    const id = (await listFactors(service, account.token)).body.factors[0].id as string;
    expectProblem(await remove(account.token, id), { status: 409, code: 'factor_required' });
    await enrollSent(service, account);
    expectProblem(await remove(account.token, id), { status: 409, code: 'factor_required' });
    const { body } = await enroll(service, account.token);
    const secret = body.secret as string;
    expect((await confirm(service, account.token, body.enrollmentId as string, appCode(secret))).status).toBe(200);
    const [mail, app] = (await listFactors(service, account.token)).body.factors as { id: string; factor: string }[];
    expect([mail?.factor, app?.factor].sort()).toEqual(['email_otp', 'totp']);
    const weak = mail?.factor === 'email_otp' ? mail.id : (app?.id ?? '');
    expect((await remove(account.token, weak)).status).toBe(204);
    await service.database.query(`DELETE FROM user_roles WHERE user_id = $1 AND role = 'COMPLIANCE'`, [account.userId]);
    const last = (await listFactors(service, account.token)).body.factors[0].id as string;
    expect((await remove(account.token, last)).status).toBe(204);
  });

  it('lends no rank to another one while it is not in force', async () => {
    const target = await hire(service, 'COMPLIANCE');
    const person = newPerson();
    const { body } = await signUp(service, person);
    const userId = body.user.id as string;
    await giveRoles(service, userId, ['SUPPORT', 'ADMIN']);
    await giveApp(service, userId);
    const other = await startSecondApi(service, { MFA_REQUIRED_ROLES: 'ADMIN' });
    try {
      const token = body.accessToken as string;
      expect((await other.http.get('/v1/admin/users?limit=1', { token })).status).toBe(200);
      const lock = (by: string) =>
        other.http.post(`/v1/admin/users/${target.userId}/lock`, { reason: 'a test of ranks' }, { token: by });
      expectProblem(await lock(token), { status: 403, code: 'forbidden' });
      const full = await freshToken(service, { person, userId, token, sessionId: body.sessionId as string });
      expect((await lock(full)).status).toBe(204);
    } finally {
      await other.process.stop();
    }
  });
});
