import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { loadConfig } from '../../src/config/load';
import { createBlindIndex } from '../../src/crypto/blind-index';
import { createAuditVerifier } from '../../src/repositories/audit-verifier';
import { createDatabase } from '../../src/repositories/prisma-client';
import { auditEventsOf } from '../support/audit';
import { askEmail, askPhone, confirmPhone, smsCode } from '../support/contact';
import {
  erased,
  ERASING_SUBJECT,
  ERASURE_CANCELLED_SUBJECT,
  ERASURE_SUBJECT,
  erasureStates,
  findErasure,
  requestErasure,
  restore,
} from '../support/erasure';
import { eventually } from '../support/eventually';
import { everythingReadable } from '../support/everything';
import { appCode, completeLogin, confirm, enroll, letStepsPass, protectedPerson, stepUp } from '../support/mfa';
import { forgot, mailedToken, resetPassword } from '../support/passwords';
import { logIn, mailedCode, newPerson, register, signUp, verify, WELCOME_SUBJECT, wrongCode } from '../support/people';
import { expectProblem } from '../support/problems';
import { fullProof } from '../support/proofs';
import { withProtection } from '../support/protection';
import { useTestService } from '../support/service';
import { type Account, giveRoles, hire } from '../support/staff';
import { withTemporal } from '../support/temporal';

const GRACE_MS = 8_000;
const service = useTestService({
  env: { ERASURE_GRACE: `${String(GRACE_MS / 1_000)}s`, MFA_REMEMBER_DEVICE_FOR: '1h', TRUSTED_PROXY_HOPS: '1' },
});

const account = async () => {
  const person = newPerson();
  const { body } = await signUp(service, person);
  return { person, userId: body.user.id as string, token: body.accessToken as string };
};

describe('the erasure of an account', () => {
  it('waits for its grace, in which everything goes on and its owner can take it back', async () => {
    const { person, userId, token } = await account();
    expectProblem(await findErasure(service, token), { status: 404, code: 'erasure_not_found' });
    const asked = await requestErasure(service, token);
    expect([asked.status, asked.body]).toMatchObject([202, { status: 'pending' }]);
    expect(Date.parse(asked.body.eraseAt as string) - Date.parse(asked.body.requestedAt as string)).toBe(GRACE_MS);
    expect((await findErasure(service, token)).body).toEqual(asked.body);
    // Once more is the same one.
    expect((await requestErasure(service, token)).body).toEqual(asked.body);
    await service.mailbox.waitFor(person.email, ERASURE_SUBJECT);
    const again = await logIn(service, person);
    expect(again.status).toBe(200);
    const back = await restore(service, again.body.accessToken as string);
    expect([back.status, back.body]).toEqual([202, { ...asked.body, status: 'cancelled' }]);
    await service.mailbox.waitFor(person.email, ERASURE_CANCELLED_SUBJECT);
    expectProblem(await restore(service, token), { status: 404, code: 'erasure_not_found' });
    await sleep(GRACE_MS + 2_000);
    expect((await logIn(service, person)).status).toBe(200);
    expect(await erasureStates(service, userId)).toEqual(['CANCELLED']);
    const actions = (await auditEventsOf(service.database, userId)).map(({ action }) => action);
    expect(actions.filter((action) => action.startsWith('account.'))).toEqual([
      'account.erasure_requested',
      'account.erasure_cancelled',
    ]);
  }, 40_000);

  it('can be asked for again after it was taken back, at once', async () => {
    const { userId, token } = await account();
    await requestErasure(service, token);
    await restore(service, token);
    expect((await requestErasure(service, token)).status).toBe(202);
    await restore(service, token);
    expect(await erasureStates(service, userId)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('needs its owner: a fresh login, or the second factor where one is on', async () => {
    const { token, userId } = await account();
    await service.database.query(`UPDATE sessions SET auth_time = now() - interval '16 minutes' WHERE user_id = $1`, [
      userId,
    ]);
    expectProblem(await requestErasure(service, token), { status: 401, code: 'reauthentication_required' });
    const owner = await protectedPerson(service);
    expectProblem(await requestErasure(service, owner.token), { status: 403, code: 'step_up_required' });
    expectProblem(await requestErasure(service, 'invented'), { status: 401, code: 'invalid_token' });
    await letStepsPass(service, owner.userId);
    const { body } = await stepUp(service, owner.token, appCode(owner.secret));
    expect((await requestErasure(service, body.accessToken as string)).status).toBe(202);
    expect((await restore(service, body.accessToken as string)).status).toBe(202);
  });

  it('is not for the last administrator', async () => {
    const admin = await protectedPerson(service);
    await giveRoles(service, admin.userId, ['ADMIN']);
    await letStepsPass(service, admin.userId);
    const { body } = await stepUp(service, admin.token, appCode(admin.secret));
    expectProblem(await requestErasure(service, body.accessToken as string), {
      status: 409,
      code: 'last_administrator',
    });
    await service.database.query('DELETE FROM user_roles WHERE user_id = $1', [admin.userId]);
  });
});

describe('after the erasure', () => {
  const person = newPerson({
    email: 'sentinel.erased@sentinel-mail.et',
    phone: '+251977310554',
    faydaId: '7310554419283746',
    firstName: 'Sentinelfirst',
    lastName: 'Sentinellast',
  });
  const NEW_PHONE = '+251988431775';
  const NEW_EMAIL = 'sentinel.moved@sentinel-mail.et';
  const headers = {
    'user-agent': 'SentinelAgent/9 (Erased)',
    'x-device-id': 'sentinel-device-7319',
    'x-forwarded-for': '198.51.100.73',
  };

  /** All that a person leaves behind. */
  const live = async (): Promise<{ userId: string; token: string }> => {
    const consents = [{ purpose: 'terms', version: '2026-01' }];
    // One that comes to nothing: another submission of the same address.
    await register(service, { ...person, firstName: 'Sentinelother' });
    const { body } = await service.http.post('/v1/auth/register', { ...person, consents }, { headers });
    const code = await mailedCode(service, person.email, 2);
    await verify(service, body.registrationId as string, wrongCode(code));
    let verified = await verify(service, body.registrationId as string, code);
    // The mails of the two may come in either order.
    if (verified.status !== 201) {
      const codes = await service.mailbox.to(person.email, /Confirm/);
      for (const { text } of codes) {
        const other = /^\d{6}$/m.exec(text)?.[0] ?? '';
        verified = await verify(service, body.registrationId as string, other);
        if (verified.status === 201) break;
      }
    }
    expect(verified.status).toBe(201);
    const userId = verified.body.user.id as string;
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    await service.http.post('/v1/auth/login', { email: person.email, password: 'wrong wrong wrong' }, { headers });
    await forgot(service, person.email);
    const password = 'another long enough secret 8420';
    await resetPassword(service, await mailedToken(service, person.email), password);
    const { token: staff } = await hire(service, 'COMPLIANCE');
    for (const act of ['lock', 'unlock']) {
      const reason = `${act}: Sentinelreason`;
      expect((await service.http.post(`/v1/admin/users/${userId}/${act}`, { reason }, { token: staff })).status).toBe(
        204,
      );
    }
    const login = await service.http.post('/v1/auth/login', { email: person.email, password }, { headers });
    const token = login.body.accessToken as string;
    await service.http.post('/v1/users/me/consents', { purpose: 'marketing', version: '2026-01' }, { token, headers });
    await askPhone(service, token, NEW_PHONE, headers);
    expect((await confirmPhone(service, token, await smsCode(service, NEW_PHONE), headers)).status).toBe(200);
    await service.database.query(
      `UPDATE users SET phone_changed_at = phone_changed_at - interval '73 hours' WHERE id = $1`,
      [userId],
    );
    await askEmail(service, { token, person: { ...person, password } }, NEW_EMAIL);
    const { body: enrollment } = await enroll(service, token, { label: 'Sentinellabel' }, headers);
    const { enrollmentId, secret } = enrollment as { enrollmentId: string; secret: string };
    expect((await confirm(service, token, enrollmentId, appCode(secret), headers)).status).toBe(200);
    await letStepsPass(service, userId);
    const begun = await service.http.post('/v1/auth/login', { email: person.email, password }, { headers });
    const full = {
      mfaToken: begun.body.mfaToken as string,
      factor: 'totp',
      code: appCode(secret),
      rememberDevice: true,
    };
    const opened = await service.http.post('/v1/auth/login/mfa', full, { headers });
    expect(opened.status).toBe(200);
    await letStepsPass(service, userId);
    const half = await service.http.post('/v1/auth/login', { email: person.email, password }, { headers });
    await service.http.post('/v1/auth/mfa/recovery', { mfaToken: half.body.mfaToken as string }, { headers });
    await completeLogin(service, half.body.mfaToken as string, '000000');
    const all = await service.http.post('/v1/users/me/exports', undefined, {
      ...{ token: opened.body.accessToken as string, headers },
    });
    expect(all.status).toBe(202);
    return { userId, token: opened.body.accessToken as string };
  };

  const indexes = () => {
    const blindIndex = createBlindIndex(loadConfig(['security'], service.stack.env).security.blindIndexKey);
    const hex = (field: 'email' | 'phone' | 'faydaId', value: string) =>
      Buffer.from(blindIndex.of(field, value)).toString('hex');
    return {
      emailIndex: hex('email', person.email),
      phoneIndex: hex('phone', NEW_PHONE),
      faydaIdIndex: hex('faydaId', person.faydaId ?? ''),
    };
  };
  const sentinels = () => ({
    ...{
      email: person.email,
      phone: '977310554',
      newPhone: '988431775',
      newEmail: 'sentinel.moved',
      faydaId: person.faydaId ?? '',
    },
    ...{ firstName: 'Sentinelfirst', otherName: 'Sentinelother', lastName: 'Sentinellast', label: 'Sentinellabel' },
    reason: 'Sentinelreason',
    ...{ userAgent: 'SentinelAgent', device: 'sentinel-device-7319', ip: '198.51.100.73' },
    ...indexes(),
  });
  /** Which of them stand where, for whoever has everything and all keys. */
  const search = async (): Promise<Record<string, string[]>> => {
    const places = await everythingReadable(service);
    return Object.fromEntries(
      Object.entries(places).map(([place, text]) => [
        place,
        Object.entries(sentinels()).flatMap(([name, value]) => (text.includes(value) ? [name] : [])),
      ]),
    );
  };

  it('nothing of the person can be read anywhere, with every key in hand; the trail is whole', async () => {
    const { userId, token } = await live();
    // Else this test could not fail: all but the device's own id, which is nowhere but as an HMAC, is there before.
    const before = await search();
    expect(before['database']).toEqual(Object.keys(sentinels()).filter((name) => name !== 'device'));
    expect(before['redis']).toEqual(expect.arrayContaining(['email']));
    expect(before['temporal']).toEqual(expect.arrayContaining(['email', 'firstName', 'faydaId', 'emailIndex']));

    expect((await requestErasure(service, token, headers)).status).toBe(202);
    await erased(service, userId);
    await service.mailbox.waitFor(person.email, ERASING_SUBJECT);
    await eventually('the end of its workflow', () =>
      withTemporal(service, async (client) => {
        const { status } = await client.workflow.getHandle(`account-erasure/${userId}`).describe();
        return status.name === 'COMPLETED';
      }),
    );
    expect(await search()).toEqual({ database: [], redis: [], temporal: [] });
    const { rows } = await service.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM audit_events WHERE subject_id = $1`,
      [userId],
    );
    expect(rows[0]?.count).toBeGreaterThan(10);
    const database = createDatabase(loadConfig(['database'], service.stack.env).database);
    await withProtection(service.stack, async ({ auditSeal }) => {
      expect(await createAuditVerifier(database, auditSeal)()).toMatchObject({ valid: true, complete: true });
    });
    await database.$disconnect();
  }, 120_000);

  let erasedId = '';
  /** As an auditor reads it: another process than the one that has erased. */
  const trailOf = async (userId: string, { token }: Pick<Account, 'token'>) => {
    const { body } = await service.http.get(`/v1/admin/audit-events?subjectId=${userId}`, { token });
    return body.events as Record<string, string | null>[];
  };

  it('the account is gone: no token, no login; the address is free, and the trail can be read', async () => {
    const { person: gone, userId, token } = await account();
    await requestErasure(service, token);
    await erased(service, userId);
    expectProblem(await service.http.get('/v1/users/me', { token }), { status: 401, code: 'invalid_token' });
    expectProblem(await logIn(service, gone), { status: 401, code: 'invalid_credentials' });
    const auditor = await hire(service, 'COMPLIANCE');
    expect((await trailOf(userId, auditor)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['account.erased', 'registration.completed']),
    );
    erasedId = userId;
    const { body } = await register(service, gone);
    const anew = await verify(service, body.registrationId as string, await mailedCode(service, gone.email, 2));
    expect([anew.status, anew.body.user.id === userId]).toEqual([201, false]);
  }, 90_000);

  fullProof(
    'a process forgets the secret of the person within half a minute, and with it whence they came',
    async () => {
      const auditor = await hire(service, 'COMPLIANCE');
      const own = async () => (await trailOf(erasedId, auditor)).filter(({ action }) => action !== 'audit.read');
      await eventually(
        'the end of what the api remembers',
        async () => (await own()).every(({ ip }) => ip === null),
        40_000,
      );
    },
    60_000,
  );

  fullProof(
    'goes on where it was when workers are killed, again and again',
    async () => {
      const { person: gone, userId, token } = await account();
      await requestErasure(service, token);
      await eventually(
        'its beginning',
        async () => (await erasureStates(service, userId)).at(-1) === 'ERASING',
        30_000,
      );
      for (let kills = 0; kills < 4; kills += 1) {
        await service.processes.worker.kill();
        await service.processes.worker.start();
        await sleep(400);
      }
      await erased(service, userId, 120_000);
      expect((await service.mailbox.to(gone.email, ERASING_SUBJECT)).length).toBeLessThanOrEqual(2);
      const events = await auditEventsOf(service.database, userId, 'account.erased');
      expect(events).toHaveLength(1);
      const { rows } = await service.database.query('SELECT secret, erased_at FROM person_keys WHERE person_id = $1', [
        userId,
      ]);
      expect(rows).toEqual([{ secret: null, erased_at: expect.any(Date) }]);
    },
    180_000,
  );
});
