import { decodeJwt } from 'jose';
import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import type { Answer } from '../../support/http-client';
import {
  appCode,
  completeLogin,
  confirm,
  enroll,
  letStepsPass,
  type Protected,
  protectedPerson,
  staleCode,
  stepUp,
} from '../../support/mfa';
import { changePassword } from '../../support/passwords';
import { expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';
import { giveRoles } from '../../support/staff';

const PHONE = 'the-phone-of-its-owner';
const CHROME = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36';

const service = useSharedService();

const logInFrom = ({ person }: Protected, deviceId: string, deviceToken?: string): Promise<Answer> =>
  service.http.post(
    '/v1/auth/login',
    { email: person.email, password: person.password },
    {
      headers: {
        'x-device-id': deviceId,
        'user-agent': CHROME,
        ...(deviceToken !== undefined && { 'x-device-token': deviceToken }),
      },
    },
  );
/** Logs in with both factors and asks that the device be remembered. */
const remember = async (owner: Protected, deviceId = PHONE, code = appCode(owner.secret), factor = 'totp') => {
  await letStepsPass(service, owner.userId);
  const { body } = await logInFrom(owner, deviceId);
  const mfaToken = body.mfaToken as string;
  const headers = { 'x-device-id': deviceId, 'user-agent': CHROME };
  const answer = await service.http.post(
    '/v1/auth/login/mfa',
    { mfaToken, factor, code, rememberDevice: true },
    { headers },
  );
  expect(answer.status).toBe(200);
  return answer.body as { accessToken: string; deviceToken?: string; deviceTokenExpiresAt?: string };
};
const known = async (owner: Protected) => {
  const { accessToken, deviceToken = '', deviceTokenExpiresAt = '' } = await remember(owner);
  expect(deviceToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
  return { accessToken, deviceToken, deviceTokenExpiresAt };
};
const list = async (token: string) =>
  (await service.http.get('/v1/auth/mfa/remembered-devices', { token })).body.devices as { id: string }[];
const forget = (token: string, id: string) =>
  service.http.send('DELETE', `/v1/auth/mfa/remembered-devices/${id}`, { token });
const expectAsked = ({ status, body }: Answer): void => {
  expect([status, body.mfaRequired]).toEqual([200, true]);
};

describe('a remembered device', () => {
  it('logs in without the second factor, as one of one factor: what is sensitive still asks for it', async () => {
    const owner = await protectedPerson(service);
    const { deviceToken, deviceTokenExpiresAt } = await known(owner);
    const days = (Date.parse(deviceTokenExpiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    for (let times = 0; times < 2; times += 1) {
      const { status, body } = await logInFrom(owner, PHONE, deviceToken);
      expect(status).toBe(200);
      expect(decodeJwt(body.accessToken as string)).toMatchObject({ acr: 'aal1', amr: ['pwd'] });
      const token = body.accessToken as string;
      expectProblem(await service.http.send('DELETE', `/v1/auth/mfa/factors/${owner.factorId}`, { token }), {
        status: 403,
        code: 'step_up_required',
      });
    }
    const actions = (await auditEventsOf(service.database, owner.userId)).map(({ action }) => action);
    expect(actions.filter((action) => action === 'device.recognised')).toHaveLength(2);
    expect(actions).toContain('device.remembered');
  });

  it('is nobody else’s: a token that was stolen to another device or account, or is made up, is as none', async () => {
    const [owner, thief] = [await protectedPerson(service), await protectedPerson(service)];
    const { deviceToken } = await known(owner);
    expectAsked(await logInFrom(owner, 'the-device-of-a-thief', deviceToken));
    expectAsked(await logInFrom(thief, PHONE, deviceToken));
    expectAsked(await logInFrom(owner, PHONE, 'A'.repeat(43)));
    expectAsked(await logInFrom(owner, PHONE, ''));
    expectProblem(
      await logInFrom({ ...owner, person: { ...owner.person, password: 'not the password' } }, PHONE, deviceToken),
      { status: 401, code: 'invalid_credentials' },
    );
    expect((await logInFrom(owner, PHONE, deviceToken)).body.accessToken).toBeDefined();
  });

  it('buys no guesses at the second factor: its logins clear no failures', async () => {
    const owner = await protectedPerson(service);
    const { accessToken, deviceToken } = await known(owner);
    expectProblem(await stepUp(service, accessToken, staleCode(owner.secret)), { status: 422, code: 'invalid_code' });
    const failures = async () => {
      const { rows } = await service.database.query<{ sum: number }>(
        'SELECT coalesce(sum(failures), 0)::int AS sum FROM login_failures',
      );
      return rows[0]?.sum;
    };
    const before = await failures();
    expect((await logInFrom(owner, PHONE, deviceToken)).body.accessToken).toBeDefined();
    expect(await failures()).toBe(before);
  });

  it('is not remembered by a recovery code, without an id, unasked, or for staff', async () => {
    const owner = await protectedPerson(service);
    const byRecovery = await remember(owner, PHONE, owner.recoveryCodes[0] ?? '', 'recovery_code');
    expect(byRecovery).not.toHaveProperty('deviceToken');
    expect(await remember(owner, '?')).not.toHaveProperty('deviceToken');
    await letStepsPass(service, owner.userId);
    const { body } = await logInFrom(owner, PHONE);
    const headers = { 'x-device-id': PHONE, 'user-agent': CHROME };
    const unasked = await completeLogin(service, body.mfaToken as string, appCode(owner.secret), 'totp', headers);
    expect(unasked.body).not.toHaveProperty('deviceToken');
    const { deviceToken, accessToken } = await known(owner);
    // Of one who becomes staff it is worth nothing any more.
    await giveRoles(service, owner.userId, ['SUPPORT']);
    expectAsked(await logInFrom(owner, PHONE, deviceToken));
    await forget(accessToken, (await list(accessToken))[0]?.id ?? '');
    expect(await remember(owner)).not.toHaveProperty('deviceToken');
  });

  it('is listed as sessions are, and revoked by its owner only', async () => {
    const [owner, other] = [await protectedPerson(service), await protectedPerson(service)];
    const { accessToken, deviceToken } = await known(owner);
    // The same device again is one device, and the older token is worth nothing.
    const { deviceToken: second = '' } = await remember(owner);
    expectAsked(await logInFrom(owner, PHONE, deviceToken));
    const devices = await list(accessToken);
    expect(devices).toEqual([
      {
        id: expect.any(String),
        createdAt: expect.any(String),
        lastUsedAt: expect.any(String),
        expiresAt: expect.any(String),
        userAgent: 'Chrome on Android',
        ip: '127.0.0.*',
      },
    ]);
    const id = devices[0]?.id ?? '';
    const NOT_FOUND = { status: 404, code: 'device_not_found' };
    expectProblem(await forget(other.token, id), NOT_FOUND);
    expect((await forget(accessToken, id)).status).toBe(204);
    expectProblem(await forget(accessToken, id), NOT_FOUND);
    expect(await list(accessToken)).toEqual([]);
    expectAsked(await logInFrom(owner, PHONE, second));
  });
});

type Act = (owner: Protected, token: string) => Promise<unknown>;
const raised = async (owner: Protected, token: string): Promise<string> => {
  await letStepsPass(service, owner.userId);
  return (await stepUp(service, token, appCode(owner.secret))).body.accessToken as string;
};
const ENDINGS: Readonly<Record<string, Act>> = {
  'its time': ({ userId }) =>
    service.database.query('UPDATE remembered_devices SET expires_at = now() WHERE user_id = $1', [userId]),
  'a shorter policy': ({ userId }) =>
    service.database.query(
      `UPDATE remembered_devices SET created_at = now() - interval '31 days', expires_at = now() + interval '9 days' WHERE user_id = $1`,
      [userId],
    ),
  'logout-all': (_, token) => service.http.post('/v1/auth/logout-all', undefined, { token }),
  'another second factor': async (owner, token) => {
    const { body } = await enroll(service, await raised(owner, token));
    const { enrollmentId, secret } = body as { enrollmentId: string; secret: string };
    expect((await confirm(service, token, enrollmentId, appCode(secret))).status).toBe(200);
  },
  'the end of the sessions by staff': async (owner) => {
    const staff = await protectedPerson(service);
    await giveRoles(service, staff.userId, ['ADMIN']);
    const token = await raised(staff, staff.token);
    const { status } = await service.http.post(`/v1/admin/users/${owner.userId}/sessions/revoke`, undefined, { token });
    expect(status).toBe(200);
  },
};

it.each(Object.entries(ENDINGS))('%s ends it', async (_, act) => {
  const owner = await protectedPerson(service);
  const { accessToken, deviceToken } = await known(owner);
  await act(owner, accessToken);
  expectAsked(await logInFrom(owner, PHONE, deviceToken));
});

it('a change of the password ends it, and so does the removal of the factor, for good', async () => {
  const owner = await protectedPerson(service);
  const { accessToken, deviceToken } = await known(owner);
  const password = 'quite another long secret';
  expect((await changePassword(service, accessToken, owner.person.password, password)).status).toBe(204);
  const renewed = { ...owner, person: { ...owner.person, password } };
  expectAsked(await logInFrom(renewed, PHONE, deviceToken));
  expect(await list(accessToken)).toEqual([]);
  const next = await known(renewed);
  const token = await raised(renewed, next.accessToken);
  const { status } = await service.http.send('DELETE', `/v1/auth/mfa/factors/${owner.factorId}`, { token });
  expect(status).toBe(204);
  const { rowCount } = await service.database.query('SELECT 1 FROM remembered_devices WHERE user_id = $1', [
    owner.userId,
  ]);
  expect(rowCount).toBe(0);
});
