import { decodeJwt } from 'jose';
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
  type Member,
  provePhone,
  smsCode,
} from '../../support/contact';
import type { Answer } from '../../support/http-client';
import {
  askLoginCode,
  askStepUpCode,
  completeLogin,
  confirm,
  enroll,
  enrollSent,
  FACTOR_CODE_SUBJECT,
  letCodesAge,
  listFactors,
  mailedFactorCode,
  MFA_ENABLED_SUBJECT,
  stepUp,
} from '../../support/mfa';
import { logIn, newPerson, newPhone, wrongCode } from '../../support/people';
import { expectProblem } from '../../support/problems';
import { useSharedService, useTestService } from '../../support/service';

const INVALID_CODE = { status: 422, code: 'invalid_code' };
const INVALID_TOKEN = { status: 401, code: 'invalid_mfa_token' };
const TOO_SOON = { status: 429, code: 'resend_too_soon' };

const service = useSharedService();
const claimsOf = ({ body }: Answer) => decodeJwt(body.accessToken as string);

/** Somebody whose second factor is codes by mail. */
const mailed = async (): Promise<Member & { recoveryCodes: readonly string[] }> => {
  const member = await join(service);
  const { body } = await enrollSent(service, member);
  return { ...member, recoveryCodes: body.recoveryCodes as string[] };
};
const begin = async ({ person }: Pick<Member, 'person'>): Promise<string> =>
  (await logIn(service, person)).body.mfaToken as string;
/** A login that has been sent the `count`-th code since the enrolment. */
const beginWithCode = async (member: Member, count = 1) => {
  const mfaToken = await begin(member);
  const asked = await askLoginCode(service, mfaToken, 'email_otp');
  expect(asked.status).toBe(202);
  return { mfaToken, code: await mailedFactorCode(service, member.person.email, count + 1) };
};

describe('codes by mail', () => {
  it('are enrolled with a code to the proven address, which is limited and worth nothing elsewhere', async () => {
    const member = await join(service);
    const { token, person, userId } = member;
    const { status, body } = await enroll(service, token, { factor: 'email_otp', label: 'My mail' });
    expect({ status, body }).toEqual({
      status: 201,
      body: { enrollmentId: expect.any(String), factor: 'email_otp', expiresAt: expect.any(String) },
    });
    const code = await mailedFactorCode(service, person.email);
    // Another one too soon: the first one goes on.
    expectProblem(await enroll(service, token, { factor: 'email_otp' }), TOO_SOON);
    expectProblem(await confirm(service, token, body.enrollmentId as string, wrongCode(code)), INVALID_CODE);
    const other = await join(service);
    const foreign = await confirm(service, other.token, body.enrollmentId as string, code);
    expectProblem(foreign, { status: 404, code: 'enrollment_not_found' });
    const confirmed = await confirm(service, token, body.enrollmentId as string, code);
    expect(confirmed.status).toBe(200);
    expect(confirmed.body.recoveryCodes).toHaveLength(10);
    expect((await listFactors(service, token)).body.factors).toMatchObject([{ factor: 'email_otp', label: 'My mail' }]);
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT);
    const [added] = await auditEventsOf(service.database, userId, 'mfa.factor_added');
    expect(added).toMatchObject({ workflow_id: `mfa-enrollment/${userId}/email_otp` });
  });

  it('are refused at once where one was just sent, and no enrolment is left open', async () => {
    const member = await join(service);
    const { body } = await enroll(service, member.token, { factor: 'email_otp' });
    await service.http.send('DELETE', `/v1/auth/mfa/enrollments/${body.enrollmentId as string}`, {
      token: member.token,
    });
    expectProblem(await enroll(service, member.token, { factor: 'email_otp' }), TOO_SOON);
    await letCodesAge(service, member.userId);
    expect((await enroll(service, member.token, { factor: 'email_otp' })).status).toBe(201);
  });

  it('open a session of two factors, once, also when they are shown twice at once', async () => {
    const member = await mailed();
    const { status, body } = await logIn(service, member.person);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { mfaRequired: true, factors: ['email_otp', 'recovery_code'] },
    });
    const { mfaToken, code } = await beginWithCode(member);
    expectProblem(await completeLogin(service, mfaToken, wrongCode(code), 'email_otp'), INVALID_CODE);
    const shown = `${code.slice(0, 3)} ${code.slice(3)}`;
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => completeLogin(service, mfaToken, shown, 'email_otp')),
    );
    const good = answers.filter(({ status: each }) => each === 200);
    expect(good).toHaveLength(1);
    expect(claimsOf(good[0]!)).toMatchObject({ sub: member.userId, acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
    const [asked] = await auditEventsOf(service.database, member.userId, 'mfa.code_requested');
    expect(asked).toMatchObject({ actor_kind: 'anonymous' });
  });

  it('are good for their own login only, which is bound to its device (ASVS 6.6.2)', async () => {
    const member = await mailed();
    const first = await beginWithCode(member);
    const other = await begin(member);
    expectProblem(await completeLogin(service, other, first.code, 'email_otp'), INVALID_CODE);
    expectProblem(await completeLogin(service, first.mfaToken, first.code, 'totp'), INVALID_CODE);
    expectProblem(await stepUp(service, member.token, first.code, 'email_otp'), INVALID_CODE);
    const elsewhere = { 'x-device-id': 'a-device-of-a-stranger' };
    expectProblem(await askLoginCode(service, first.mfaToken, 'email_otp', elsewhere), INVALID_TOKEN);
    expectProblem(await askLoginCode(service, 'A'.repeat(43), 'email_otp'), INVALID_TOKEN);
    expect((await completeLogin(service, first.mfaToken, first.code, 'email_otp')).status).toBe(200);
  });

  it('end with ten minutes, five wrong ones, or a newer one', async () => {
    const member = await mailed();
    const old = await beginWithCode(member);
    await letCodesAge(service, member.userId);
    expect((await askLoginCode(service, old.mfaToken, 'email_otp')).status).toBe(202);
    const newer = await mailedFactorCode(service, member.person.email, 3);
    expectProblem(await completeLogin(service, old.mfaToken, old.code, 'email_otp'), INVALID_CODE);
    await service.database.query('UPDATE factor_codes SET expires_at = now() WHERE user_id = $1', [member.userId]);
    expectProblem(await completeLogin(service, old.mfaToken, newer, 'email_otp'), INVALID_CODE);

    await letCodesAge(service, member.userId);
    expect((await askStepUpCode(service, member.token, 'email_otp')).status).toBe(202);
    const code = await mailedFactorCode(service, member.person.email, 4);
    for (let tries = 0; tries < 5; tries += 1)
      expectProblem(await stepUp(service, member.token, wrongCode(code), 'email_otp'), INVALID_CODE);
    expectProblem(await stepUp(service, member.token, code, 'email_otp'), INVALID_CODE);
  });

  it('are sent one a minute and five an hour, of two at once one (ASVS 6.6.3)', async () => {
    const member = await mailed();
    const mfaToken = await begin(member);
    const both = await Promise.all([1, 2].map(() => askLoginCode(service, mfaToken, 'email_otp')));
    expect(both.filter(({ status }) => status === 202)).toHaveLength(1);
    expectProblem(
      both.find(({ status }) => status !== 202)!,
      TOO_SOON,
    );
    expect(Number(both.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    for (let sent = 1; sent < 5; sent += 1) {
      await letCodesAge(service, member.userId);
      expect((await askLoginCode(service, mfaToken, 'email_otp')).status).toBe(202);
    }
    await letCodesAge(service, member.userId);
    expectProblem(await askLoginCode(service, mfaToken, 'email_otp'), { status: 429, code: 'resend_limit_reached' });
    // Nor for a step-up: it is one account.
    expectProblem(await askStepUpCode(service, member.token, 'email_otp'), {
      status: 429,
      code: 'resend_limit_reached',
    });
  });

  it('are sent once under one Idempotency-Key, and raise the session that asked', async () => {
    const member = await mailed();
    const mfaToken = await begin(member);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const first = await askLoginCode(service, mfaToken, 'email_otp', headers);
    await service.database.query('UPDATE idempotency_keys SET answer_ciphertext = NULL, lease_expires_at = now()');
    const again = await askLoginCode(service, mfaToken, 'email_otp', headers);
    expect(again).toMatchObject({ status: 202, body: first.body });
    await letCodesAge(service, member.userId);
    expect((await askStepUpCode(service, member.token, 'email_otp')).status).toBe(202);
    const code = await mailedFactorCode(service, member.person.email, 3);
    expect(await service.mailbox.to(member.person.email, FACTOR_CODE_SUBJECT)).toHaveLength(3);
    const raised = await stepUp(service, member.token, code, 'email_otp');
    expect(claimsOf(raised)).toMatchObject({ sid: member.sessionId, acr: 'aal2' });
    expectProblem(await stepUp(service, raised.body.accessToken as string, code, 'email_otp'), INVALID_CODE);
  });

  it('die with a change of the address, and go to the new one then', async () => {
    const member = await mailed();
    const { mfaToken, code } = await beginWithCode(member);
    const { email } = newPerson();
    await askEmail(service, member, email);
    expect((await confirmEmail(service, member.token, await emailCode(service, email))).status).toBe(200);
    expectProblem(await completeLogin(service, mfaToken, code, 'email_otp'), INVALID_CODE);
    await letCodesAge(service, member.userId);
    expect((await askLoginCode(service, mfaToken, 'email_otp')).status).toBe(202);
    const next = await mailedFactorCode(service, email);
    expect((await completeLogin(service, mfaToken, next, 'email_otp')).status).toBe(200);
  });

  it('need the factor: nobody else is sent one', async () => {
    const [member, plain] = [await mailed(), await join(service)];
    expectProblem(await askLoginCode(service, await begin(member), 'sms_otp'), {
      status: 404,
      code: 'factor_not_found',
    });
    expectProblem(await askStepUpCode(service, plain.token, 'email_otp'), { status: 404, code: 'factor_not_found' });
  });
});

describe('codes by SMS', () => {
  it('go to the proven phone, and the session says `sms`', async () => {
    const member = await join(service);
    expectProblem(await enroll(service, member.token, { factor: 'sms_otp' }), {
      status: 409,
      code: 'phone_not_verified',
    });
    const phone = await provePhone(service, member);
    await enrollSent(service, member, phone);
    const mfaToken = await begin(member);
    expect((await askLoginCode(service, mfaToken, 'sms_otp')).status).toBe(202);
    const answer = await completeLogin(service, mfaToken, await smsCode(service, phone, 3), 'sms_otp');
    expect(claimsOf(answer)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'sms', 'mfa'] });
  });

  it('wait 24 hours after a change of the phone, which ends a pending one; then they go to the new one (SIM swap)', async () => {
    const member = await join(service);
    await enrollSent(service, member, await provePhone(service, member));
    const mfaToken = await begin(member);
    expect((await askLoginCode(service, mfaToken, 'sms_otp')).status).toBe(202);
    const next = newPhone();
    await askPhone(service, member.token, next);
    expect((await confirmPhone(service, member.token, await smsCode(service, next))).status).toBe(200);
    await letTimePass(service, member.userId, '25 hours');
    await letCodesAge(service, member.userId);
    expectProblem(await askLoginCode(service, mfaToken, 'sms_otp'), { status: 403, code: 'cooling_off' });
    await letHoldPass(service, member.userId, '25 hours');
    expect((await askLoginCode(service, mfaToken, 'sms_otp')).status).toBe(202);
    const code = await smsCode(service, next, 2);
    expect((await completeLogin(service, mfaToken, code, 'sms_otp')).status).toBe(200);
  });

  it('of a phone that was changed meanwhile are worth nothing', async () => {
    const member = await join(service);
    const phone = await provePhone(service, member);
    await enrollSent(service, member, phone);
    const mfaToken = await begin(member);
    await askLoginCode(service, mfaToken, 'sms_otp');
    const code = await smsCode(service, phone, 3);
    const next = newPhone();
    await askPhone(service, member.token, next);
    await confirmPhone(service, member.token, await smsCode(service, next));
    expectProblem(await completeLogin(service, mfaToken, code, 'sms_otp'), INVALID_CODE);
  });
});

describe('a service that allows few kinds and few SMS', () => {
  const strict = useTestService({ env: { MFA_FACTORS: 'totp,sms_otp', SMS_DAILY_LIMIT: '2' } });

  it('refuses the others, and counts the SMS of second factors with those of changes', async () => {
    const member = await join(strict);
    expectProblem(await enroll(strict, member.token, { factor: 'email_otp' }), {
      status: 403,
      code: 'factor_not_allowed',
    });
    const phone = newPhone();
    await askPhone(strict, member.token, phone);
    await confirmPhone(strict, member.token, await smsCode(strict, phone));
    await letHoldPass(strict, member.userId, '25 hours');
    expect((await enroll(strict, member.token, { factor: 'sms_otp' })).status).toBe(201);
    const other = await join(strict);
    expectProblem(await askPhone(strict, other.token, newPhone()), { status: 503, code: 'sms_unavailable' });
    await letCodesAge(strict, member.userId);
    expectProblem(await enroll(strict, member.token, { factor: 'sms_otp' }), { status: 503, code: 'sms_unavailable' });
  });
});
