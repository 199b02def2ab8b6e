import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import type { Answer } from '../../support/http-client';
import { appCode, letStepsPass, logInFully, protectedPerson, stepUp } from '../../support/mfa';
import { changePassword, forgot, mailedToken, resetPassword } from '../../support/passwords';
import { newPerson, signUp } from '../../support/people';
import { expectProblem } from '../../support/problems';
import {
  approve,
  begunRecovery,
  cancelByToken,
  deny,
  mailedCancelToken,
  RECOVERY_ENDED_SUBJECT,
  RECOVERY_SUBJECT,
  recoveryState,
  reviewer,
  startRecovery,
} from '../../support/recovery';
import { giveRoles } from '../../support/staff';
import { useSharedService } from '../../support/service';

const DELAYED = { status: 429, code: 'recovery_delayed' };
const CLOSED = { status: 410, code: 'recovery_closed' };
const NOT_FOUND = { status: 404, code: 'recovery_not_found' };
const NEW_PASSWORD = 'quite another long secret';

const service = useSharedService();
const find = (token: string): Promise<Answer> => service.http.get('/v1/auth/mfa/recovery', { token });
const cancel = (token: string): Promise<Answer> => service.http.send('DELETE', '/v1/auth/mfa/recovery', { token });
/** As if what ended had ended so much earlier. */
const letPausePass = (userId: string, interval: string) =>
  service.database.query('UPDATE account_recoveries SET closed_at = closed_at - $2::interval WHERE user_id = $1', [
    userId,
    interval,
  ]);

type Ending = (owner: Awaited<ReturnType<typeof protectedPerson>>) => Promise<Answer>;
const CANCELLING: Readonly<Record<string, readonly [by: string, act: Ending]>> = {
  'the link in the mail': [
    'link',
    async ({ person }) => {
      const token = await mailedCancelToken(service, person.email);
      // Twice is once.
      await cancelByToken(service, token);
      return cancelByToken(service, token);
    },
  ],
  'any session': ['session', ({ token }) => cancel(token)],
  'a login with the second factor': ['second_factor', (owner) => logInFully(service, owner)],
  'a step-up': [
    'second_factor',
    async ({ userId, token, secret }) => {
      await letStepsPass(service, userId);
      return stepUp(service, token, appCode(secret));
    },
  ],
  'a change of the password': [
    'password',
    ({ token, person }) => changePassword(service, token, person.password, NEW_PASSWORD),
  ],
  'a reset of the password': [
    'password',
    async ({ person }) => {
      await forgot(service, person.email);
      return resetPassword(service, await mailedToken(service, person.email), NEW_PASSWORD);
    },
  ],
};

it('runs once: asked for again, also at once, it is the same, and told of once', async () => {
  const owner = await protectedPerson(service);
  const started = await startRecovery(service, owner);
  expect(started).toMatchObject({ status: 202, body: { status: 'waiting' } });
  const again = await Promise.all([startRecovery(service, owner), startRecovery(service, owner)]);
  for (const { body } of again) expect(body).toEqual(started.body);
  expect((await find(owner.token)).body).toEqual(started.body);
  await service.mailbox.waitFor(owner.person.email, RECOVERY_SUBJECT);
  expect(await service.mailbox.to(owner.person.email, RECOVERY_SUBJECT)).toHaveLength(1);
});

describe('its owner cancels it', () => {
  it.each(Object.entries(CANCELLING))('by %s: at once, and for good', async (_, [by, act]) => {
    const owner = await protectedPerson(service);
    const id = await begunRecovery(service, owner);
    expect((await act(owner)).status).toBeLessThan(300);
    const { rows } = await service.database.query(
      'SELECT status::text, closed_by FROM account_recoveries WHERE id = $1',
      [id],
    );
    expect(rows).toEqual([{ status: 'CANCELLED', closed_by: by }]);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_ENDED_SUBJECT);
    const support = await reviewer(service, 'SUPPORT');
    expectProblem(await approve(service, support.token, id), CLOSED);
  });

  it('although Temporal is told nothing: the next step finds it, and another one can begin', async () => {
    const [owner, support] = [await protectedPerson(service), await reviewer(service, 'ADMIN')];
    const id = await begunRecovery(service, owner);
    await approve(service, support.token, id);
    await service.database.query(
      `UPDATE account_recoveries SET status = 'CANCELLED', closed_at = now() - interval '25 hours', closed_by = 'session' WHERE id = $1`,
      [id],
    );
    const next = await begunRecovery(service, owner);
    expect(next).not.toBe(id);
    expect([await recoveryState(service, id), await recoveryState(service, next)]).toEqual(['CANCELLED', 'WAITING']);
    expect((await cancel(owner.token)).status).toBe(204);
    expectProblem(await cancel(owner.token), NOT_FOUND);
    expectProblem(await find(owner.token), NOT_FOUND);
  });

  it('and whoever knows the password cannot go on and on: pauses grow, and end with another password', async () => {
    const owner = await protectedPerson(service);
    for (const pause of ['25 hours', '8 days', undefined]) {
      await begunRecovery(service, owner);
      expect((await cancel(owner.token)).status).toBe(204);
      const refused = await startRecovery(service, owner);
      expectProblem(refused, DELAYED);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(23 * 3_600);
      if (pause !== undefined) await letPausePass(owner.userId, pause);
    }
    await changePassword(service, owner.token, owner.person.password, NEW_PASSWORD);
    const renewed = { person: { ...owner.person, password: NEW_PASSWORD } };
    expect((await startRecovery(service, renewed)).status).toBe(202);
  });
});

it('ends while it is asked for again, by many at once: none is told that the service is not there', async () => {
  const owners = await Promise.all(Array.from({ length: 8 }, () => protectedPerson(service)));
  await Promise.all(owners.map((owner) => begunRecovery(service, owner)));
  const answers = await Promise.all(
    owners.map(async (owner) => {
      await cancel(owner.token);
      return startRecovery(service, owner);
    }),
  );
  for (const answer of answers) expectProblem(answer, DELAYED);
});

describe('who decides', () => {
  it('is support with a second factor shown lately, on no account of more rights, nor its own', async () => {
    const owner = await protectedPerson(service);
    const id = await begunRecovery(service, owner);
    const [support, other] = [await reviewer(service, 'SUPPORT'), await protectedPerson(service)];
    expectProblem(await approve(service, other.token, id), { status: 403, code: 'forbidden' });
    const weak = await protectedPerson(service);
    await giveRoles(service, weak.userId, ['SUPPORT']);
    expectProblem(await approve(service, weak.token, id), { status: 403, code: 'step_up_required' });
    const listed = await service.http.get('/v1/admin/recoveries?status=waiting&limit=100', { token: support.token });
    const recoveries = listed.body.recoveries as { recoveryId: string }[];
    const found = recoveries.find(({ recoveryId }) => recoveryId === id);
    expect(found).toMatchObject({ userId: owner.userId, status: 'waiting', approvalsNeeded: 1, approvals: [] });
    expect(JSON.stringify(found)).not.toContain(owner.person.email);
    // Of one who becomes staff two are needed, an administrator among them.
    await giveRoles(service, owner.userId, ['SUPPORT']);
    expect((await approve(service, support.token, id)).status).toBe(204);
    expect((await approve(service, (await reviewer(service, 'SUPPORT')).token, id)).status).toBe(204);
    const admin = await reviewer(service, 'ADMIN');
    expect((await approve(service, admin.token, id)).status).toBe(204);
    const { body } = await service.http.get(`/v1/admin/recoveries/${id}`, { token: admin.token });
    expect(body).toMatchObject({ status: 'waiting', approvalsNeeded: 2, approvals: { length: 3 } });
    const own = await reviewer(service, 'SUPPORT');
    const ownId = await begunRecovery(service, own);
    expectProblem(await approve(service, own.token, ownId), { status: 403, code: 'own_account' });
    const boss = await begunRecovery(service, admin);
    expectProblem(await approve(service, support.token, boss), { status: 403, code: 'forbidden' });
    const denials = await auditEventsOf(service.database, admin.userId, 'mfa.recovery_approved');
    expect(denials).toMatchObject([{ outcome: 'denied' }]);
  });

  it('may deny it, which ends it', async () => {
    const [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
    const id = await begunRecovery(service, owner);
    expect((await deny(service, support.token, id)).status).toBe(204);
    expectProblem(await deny(service, support.token, id), CLOSED);
    await service.mailbox.waitFor(owner.person.email, RECOVERY_ENDED_SUBJECT);
    expectProblem(await startRecovery(service, owner), DELAYED);
  });
});

describe('what it needs', () => {
  it('is the right password, from its device, and no phone or address that was changed lately', async () => {
    const owner = await protectedPerson(service);
    const { body } = await service.http.post(
      '/v1/auth/login',
      { email: owner.person.email, password: owner.person.password },
      { headers: { 'x-device-id': 'the-phone-of-its-owner' } },
    );
    const start = (mfaToken: string) => service.http.post('/v1/auth/mfa/recovery', { mfaToken });
    for (const token of [body.mfaToken as string, 'A'.repeat(43)])
      expectProblem(await start(token), { status: 401, code: 'invalid_mfa_token' });
    await service.database.query('UPDATE users SET phone_changed_at = now() WHERE id = $1', [owner.userId]);
    expectProblem(await startRecovery(service, owner), DELAYED);
    await signUp(service, newPerson());
  });

  it('a cancel at the same time as an approval: cancelled, whichever came first', async () => {
    const [owner, support] = [await protectedPerson(service), await reviewer(service, 'SUPPORT')];
    const id = await begunRecovery(service, owner);
    const [approved, cancelled] = await Promise.all([approve(service, support.token, id), cancel(owner.token)]);
    expect([204, 410]).toContain(approved.status);
    expect(cancelled.status).toBe(204);
    expect(await recoveryState(service, id)).toBe('CANCELLED');
  });
});
