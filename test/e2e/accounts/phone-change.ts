import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import {
  askEmail,
  askPhone,
  confirmEmail,
  confirmPhone,
  emailCode,
  join,
  letHoldPass,
  letTimePass,
  me,
  PHONE_CHANGED_SUBJECT,
  PHONE_RELEASED_SUBJECT,
  provePhone,
  smsCode,
  smsNow,
  smsTo,
} from '../../support/contact';
import { eventually } from '../../support/eventually';
import { logIn, newPerson, newPhone, wrongCode } from '../../support/people';
import { changePassword } from '../../support/passwords';
import { complaints, expectProblem } from '../../support/problems';
import { useSharedService } from '../../support/service';
import { hire } from '../../support/staff';
import { withTemporal } from '../../support/temporal';

const service = useSharedService();
const INVALID_CODE = { status: 422, code: 'invalid_code' };
const TOO_SOON = { status: 429, code: 'resend_too_soon' };
const COOLING_OFF = { status: 403, code: 'cooling_off' };
const HOUR_MS = 3_600_000;

const phoneLogin = (phone: string, password: string) => service.http.post('/v1/auth/login', { phone, password });
const changesOf = async (userId: string) => {
  const { rows } = await service.database.query(
    'SELECT * FROM contact_changes WHERE user_id = $1 ORDER BY created_at',
    [userId],
  );
  return rows as Record<string, unknown>[];
};

describe('a change of the phone', () => {
  it('is done by the code of an SMS; old number, new number and owner are told, each once', async () => {
    const member = await join(service);
    const old = await provePhone(service, member);
    const { token, person, userId } = member;
    const phone = newPhone();
    const asked = await askPhone(service, token, phone);
    expect([asked.status, asked.body]).toEqual([
      202,
      { status: 'verification_pending', expiresAt: expect.stringMatching(/Z$/) },
    ]);
    const minutes = (Date.parse(asked.body.expiresAt as string) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(9);
    expect(minutes).toBeLessThanOrEqual(10);
    expect((await me(service, token)).body.phone).toBe(old);

    const confirmed = await confirmPhone(service, token, await smsCode(service, phone));
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toMatchObject({ id: userId, phone, phoneVerified: true });
    expect((await me(service, token)).body).toEqual(confirmed.body);
    expect((await phoneLogin(phone, person.password)).status).toBe(200);
    expectProblem(await phoneLogin(old, person.password), { status: 401, code: 'invalid_credentials' });

    const [, , removed] = await smsTo(service, old, 3);
    expect(removed?.text).toContain('removed from your Meqenet account');
    const [, belongs] = await smsTo(service, phone, 2);
    expect(belongs?.text).toContain('now belongs to your Meqenet account');
    await service.mailbox.waitFor(person.email, PHONE_CHANGED_SUBJECT, 2);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await smsNow(service, old)).toHaveLength(3);
    expect(await smsNow(service, phone)).toHaveLength(2);
    expect(await service.mailbox.to(person.email, PHONE_CHANGED_SUBJECT)).toHaveLength(2);
  });

  it('is in the audit trail with its origin, and leaves neither number behind', async () => {
    const { token, userId } = await join(service);
    const phone = newPhone();
    await askPhone(service, token, phone);
    const code = await smsCode(service, phone);
    await confirmPhone(service, token, wrongCode(code));
    await confirmPhone(service, token, code);
    await smsTo(service, phone, 2);
    const events = (await auditEventsOf(service.database, userId)).filter(({ action }) => action.startsWith('user.'));
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['user.phone_change_requested', 'success'],
      ['user.phone_change_failed', 'failure'],
      ['user.phone_changed', 'success'],
    ]);
    for (const event of events) {
      expect(event).toMatchObject({ actor_id: userId, workflow_id: `phone-change/${userId}` });
      expect(event.request_id).toMatch(/./);
      expect(event.origin_ciphertext).toMatch(/^v2:/);
    }
    await eventually('the numbers to be dropped', async () => {
      const [change] = await changesOf(userId);
      return change?.['contact_ciphertext'] === null && change['previous_ciphertext'] === null;
    });
  });

  it('tells an operator where it stands, in words and by the account', async () => {
    const { token, userId } = await join(service);
    const phone = newPhone();
    await askPhone(service, token, phone);
    await confirmPhone(service, token, await smsCode(service, phone));
    await withTemporal(service, async (client) => {
      const run = await eventually('the end of the workflow', async () => {
        const query = `MeqenetUserId = '${userId}' AND MeqenetContactChangeStatus = 'completed'`;
        for await (const found of client.workflow.list({ query })) return found;
        return undefined;
      });
      expect([run.type, run.workflowId]).toEqual(['contactChange', `phone-change/${userId}`]);
      expect(await client.workflow.getHandle(run.workflowId).result()).toBe('completed');
    });
  });

  it('proves the number of the registration, which changes nothing else', async () => {
    const phone = newPhone();
    const { token, person } = await join(service, { phone });
    expect((await me(service, token)).body).toMatchObject({ phone, phoneVerified: false, restrictions: [] });
    await askPhone(service, token, phone);
    const { body } = await confirmPhone(service, token, await smsCode(service, phone));
    expect(body).toMatchObject({ phone, phoneVerified: true, restrictions: [] });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await smsNow(service, phone)).toHaveLength(1);
    expect(await service.mailbox.to(person.email, PHONE_CHANGED_SUBJECT)).toEqual([]);
  });

  it('needs a login of late, or the password', async () => {
    const { token, userId, person, sessionId } = await join(service);
    await service.database.query(`UPDATE sessions SET auth_time = now() - interval '16 minutes' WHERE id = $1`, [
      sessionId,
    ]);
    const phone = newPhone();
    const key = { 'idempotency-key': crypto.randomUUID() };
    const refused = await askPhone(service, token, phone, key);
    expectProblem(refused, { status: 401, code: 'reauthentication_required' });
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age="900"',
    );
    const withPassword = (currentPassword: string) =>
      service.http.post('/v1/users/me/phone', { phone, currentPassword }, { token });
    expectProblem(await withPassword('not this one'), { status: 401, code: 'invalid_credentials' });
    expect(await auditEventsOf(service.database, userId, 'user.phone_change_failed')).toHaveLength(1);
    expect(await changesOf(userId)).toEqual([]);
    // The same request under the same key after another login.
    const login = await logIn(service, person);
    expect((await askPhone(service, login.body.accessToken as string, phone, key)).status).toBe(202);
    await letTimePass(service, userId);
    expect((await withPassword(person.password)).status).toBe(202);
  });

  it('takes a number in every spelling, and no other text', async () => {
    const { token } = await join(service);
    for (const bad of ['', '12', '+251111234567', 'x'.repeat(40)]) {
      const answer = await askPhone(service, token, bad);
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(complaints(answer)).toEqual(['/phone']);
    }
    const phone = newPhone();
    expect((await askPhone(service, token, ` 0${phone.slice(4, 7)} ${phone.slice(7)}`)).status).toBe(202);
    await smsCode(service, phone);
  });
});

describe('the code of a phone', () => {
  it('bears five wrong tries, and works once', async () => {
    const { token, userId } = await join(service);
    const phone = newPhone();
    await askPhone(service, token, phone);
    const code = await smsCode(service, phone);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expectProblem(await confirmPhone(service, token, wrongCode(code)), INVALID_CODE);
    expectProblem(await confirmPhone(service, token, code), { status: 429, code: 'too_many_attempts' });
    await letTimePass(service, userId);
    await askPhone(service, token, phone);
    const second = await smsCode(service, phone, 2);
    expect((await confirmPhone(service, token, second)).status).toBe(200);
    expectProblem(await confirmPhone(service, token, second), INVALID_CODE);
  });

  it('of an earlier request stops working when there is a later one, for another number as well', async () => {
    const { token, userId } = await join(service);
    const [first, second] = [newPhone(), newPhone()];
    await askPhone(service, token, first);
    const code = await smsCode(service, first);
    await letTimePass(service, userId);
    await askPhone(service, token, second);
    expectProblem(await confirmPhone(service, token, code), INVALID_CODE);
    expect((await confirmPhone(service, token, await smsCode(service, second))).body.phone).toBe(second);
  });

  it('is nobody else’s: not of another account, nor where none was asked for', async () => {
    const [one, other] = [await join(service), await join(service)];
    const phone = newPhone();
    await askPhone(service, one.token, phone);
    expectProblem(await confirmPhone(service, other.token, await smsCode(service, phone)), INVALID_CODE);
    expect((await me(service, other.token)).body.phone).toBeNull();
  });
});

describe('limits of codes (SMS pumping)', () => {
  it('one a minute and five a day for an account, whatever the number', async () => {
    const { token, userId } = await join(service);
    for (let count = 1; count <= 5; count += 1) {
      expect((await askPhone(service, token, newPhone())).status).toBe(202);
      const refused = await askPhone(service, token, newPhone());
      expectProblem(refused, TOO_SOON);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
      await letTimePass(service, userId);
    }
    const refused = await askPhone(service, token, newPhone());
    expectProblem(refused, { status: 429, code: 'resend_limit_reached' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(23 * 3_600);
    expect(await changesOf(userId)).toHaveLength(5);
    await letTimePass(service, userId, '25 hours');
    expect((await askPhone(service, token, newPhone())).status).toBe(202);
    expect(await changesOf(userId)).toHaveLength(1);
  });

  it('five an hour to a number from all accounts; then it is sent nothing, and who asks is not told', async () => {
    const phone = newPhone();
    const askers = await Promise.all(Array.from({ length: 6 }, () => join(service)));
    for (const { token } of askers) expect((await askPhone(service, token, phone)).status).toBe(202);
    await smsTo(service, phone, 5);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await smsNow(service, phone)).toHaveLength(5);
    expectProblem(await confirmPhone(service, askers[5]?.token ?? '', '123456'), INVALID_CODE);
  });
});

describe('a phone of somebody else', () => {
  it('that they have proven is asked for with the same answer; they are told, and no code moves it', async () => {
    const owner = await join(service);
    const taken = await provePhone(service, owner);
    const before = (await smsNow(service, taken)).length;
    const thief = await join(service);
    const free = await askPhone(service, (await join(service)).token, newPhone());
    const asked = await askPhone(service, thief.token, taken);
    expect([asked.status, Object.keys(asked.body as object)]).toEqual([free.status, Object.keys(free.body as object)]);
    const sms = (await smsTo(service, taken, before + 1))[before];
    expect(sms?.text).toContain('move this number to another account');
    expect(sms?.text).not.toMatch(/\d{6}/);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expectProblem(await confirmPhone(service, thief.token, `00000${String(attempt)}`), INVALID_CODE);
    expectProblem(await confirmPhone(service, thief.token, '000009'), { status: 429, code: 'too_many_attempts' });
    expect((await me(service, owner.token)).body.phone).toBe(taken);
    expect((await me(service, thief.token)).body.phone).toBeNull();
  });

  it('that they have only claimed goes to whoever proves it; the other account loses it and is told', async () => {
    const phone = newPhone();
    const squatter = await join(service, { phone });
    const owner = await join(service);
    await askPhone(service, owner.token, phone);
    expect((await confirmPhone(service, owner.token, await smsCode(service, phone))).body.phone).toBe(phone);
    expect((await me(service, squatter.token)).body).toMatchObject({ phone: null, phoneVerified: false });
    expect((await phoneLogin(phone, owner.person.password)).status).toBe(200);
    expectProblem(await phoneLogin(phone, squatter.person.password), { status: 401, code: 'invalid_credentials' });
    expect((await logIn(service, squatter.person)).status).toBe(200);
    await service.mailbox.waitFor(squatter.person.email, PHONE_RELEASED_SUBJECT);
    expect(await auditEventsOf(service.database, squatter.userId, 'user.phone_released')).toHaveLength(1);
  });

  it('that they prove while the code is on its way stays theirs', async () => {
    const phone = newPhone();
    const [late, quick] = [await join(service), await join(service)];
    await askPhone(service, late.token, phone);
    const code = await smsCode(service, phone);
    await askPhone(service, quick.token, phone);
    expect((await confirmPhone(service, quick.token, await smsCode(service, phone, 2))).status).toBe(200);
    expectProblem(await confirmPhone(service, late.token, code), INVALID_CODE);
    expect((await me(service, quick.token)).body.phone).toBe(phone);
  });

  it('claimed by two codes at the same time goes to one', async () => {
    const phone = newPhone();
    const members = [await join(service), await join(service)] as const;
    await askPhone(service, members[0].token, phone);
    const first = await smsCode(service, phone);
    await askPhone(service, members[1].token, phone);
    const second = await smsCode(service, phone, 2);
    const answers = await Promise.all([
      confirmPhone(service, members[0].token, first),
      confirmPhone(service, members[1].token, second),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });
});

describe('two requests at the same time', () => {
  it('for one account are one code; two confirmations are one change', async () => {
    const { token, person, userId } = await join(service);
    const phones = [newPhone(), newPhone(), newPhone()];
    const asked = await Promise.all(phones.map((phone) => askPhone(service, token, phone)));
    expect(asked.map(({ status }) => status).sort()).toEqual([202, 429, 429]);
    const phone = phones[asked.findIndex(({ status }) => status === 202)] ?? '';
    const code = await smsCode(service, phone);
    const answers = await Promise.all([1, 2, 3].map(() => confirmPhone(service, token, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await auditEventsOf(service.database, userId, 'user.phone_changed')).toHaveLength(1);
    await service.mailbox.waitFor(person.email, PHONE_CHANGED_SUBJECT);
    await smsTo(service, phone, 2);
  });

  it('under one Idempotency-Key are done once, also when the first answer was lost', async () => {
    const { token } = await join(service);
    const phone = newPhone();
    const [askKey, confirmKey] = [
      { 'idempotency-key': crypto.randomUUID() },
      { 'idempotency-key': crypto.randomUUID() },
    ];
    const forget = () =>
      service.database.query('UPDATE idempotency_keys SET answer_ciphertext = NULL, lease_expires_at = now()');
    const asked = await askPhone(service, token, phone, askKey);
    await forget();
    expect(await askPhone(service, token, phone, askKey)).toMatchObject({ status: 202, body: asked.body });
    const code = await smsCode(service, phone);
    const confirmed = await confirmPhone(service, token, code, confirmKey);
    expect(confirmed.status).toBe(200);
    await forget();
    expect(await confirmPhone(service, token, code, confirmKey)).toMatchObject({ status: 200, body: confirmed.body });
    await smsTo(service, phone, 2);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await smsNow(service, phone)).toHaveLength(2);
  });
});

describe('after a change of the phone (SIM swap)', () => {
  it('high-risk acts wait 24 hours and payouts 72, as everybody can see', async () => {
    const member = await join(service);
    const { token, userId, person } = member;
    expect((await me(service, token)).body.restrictions).toEqual([]);
    const phone = newPhone();
    await askPhone(service, token, phone);
    const { body } = await confirmPhone(service, token, await smsCode(service, phone));
    const answered = body as { restrictions: { act: string; until: string }[] };
    const until = (act: string, answer: { restrictions: { act: string; until: string }[] }) =>
      Date.parse(answer.restrictions.find((restriction) => restriction.act === act)?.until ?? '') - Date.now();
    expect(Math.round(until('high_risk', answered) / HOUR_MS)).toBe(24);
    expect(Math.round(until('payout', answered) / HOUR_MS)).toBe(72);
    const support = await hire(service, 'SUPPORT');
    const seen = await service.http.get(`/v1/admin/users/${userId}`, { token: support.token });
    expect(seen.body.restrictions).toEqual(body.restrictions);

    await letTimePass(service, userId);
    for (const held of [
      await askPhone(service, token, newPhone()),
      await askEmail(service, member, newPerson().email),
    ]) {
      expectProblem(held, COOLING_OFF);
      expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(23 * 3_600);
    }
    await letHoldPass(service, userId, '24 hours');
    expect((await me(service, token)).body.restrictions).toMatchObject([{ act: 'payout' }]);
    expect((await askPhone(service, token, newPhone())).status).toBe(202);
    expect((await askEmail(service, member, newPerson().email)).status).toBe(202);
    await letHoldPass(service, userId, '48 hours');
    expect((await me(service, token)).body.restrictions).toEqual([]);
    expect((await changePassword(service, token, person.password, 'quite another long secret')).status).toBe(204);
  });

  it('a change of the address that was begun before waits as well', async () => {
    const member = await join(service);
    const { email } = newPerson();
    await askEmail(service, member, email);
    const code = await emailCode(service, email);
    const phone = newPhone();
    await askPhone(service, member.token, phone);
    await confirmPhone(service, member.token, await smsCode(service, phone));
    const held = await confirmEmail(service, member.token, code);
    expectProblem(held, COOLING_OFF);
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(23 * 3_600);
    expect((await me(service, member.token)).body.email).toBe(member.person.email);
  });

  it('the password can be changed at once: an owner under attack needs it', async () => {
    const { token, person } = await join(service);
    const phone = newPhone();
    await askPhone(service, token, phone);
    await confirmPhone(service, token, await smsCode(service, phone));
    expect((await changePassword(service, token, person.password, 'quite another long secret')).status).toBe(204);
  });

  it('the document says which operations wait', async () => {
    const { body } = await service.http.get('/api/docs/openapi.json');
    const paths = body.paths as Record<string, Record<string, Record<string, unknown>>>;
    const waiting = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, operation]) => operation['x-high-risk'] === true)
        .map(([method]) => `${method} ${path}`),
    );
    expect(waiting.sort()).toEqual([
      'delete /v1/auth/mfa/factors/{id}',
      'delete /v1/users/me',
      'get /v1/users/me/exports/{id}/content',
      'post /v1/auth/mfa/recovery-codes',
      'post /v1/users/me/email',
      'post /v1/users/me/exports',
      'post /v1/users/me/phone',
    ]);
  });
});
