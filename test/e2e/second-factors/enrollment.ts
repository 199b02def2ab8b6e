import { describe, expect, it } from '@jest/globals';

import { auditEventsOf } from '../../support/audit';
import { join } from '../../support/contact';
import { eventually } from '../../support/eventually';
import {
  appCode,
  cancel,
  completeLogin,
  confirm,
  enroll,
  letStepsPass,
  listFactors,
  logInFully,
  MFA_ENABLED_SUBJECT,
  protectedPerson,
  staleCode,
} from '../../support/mfa';
import { oathtoolCode, testWithOathtool } from '../../support/oathtool';
import { logIn } from '../../support/people';
import { expectProblem } from '../../support/problems';
import { useSecondApi } from '../../support/second-process';
import { useSharedService } from '../../support/service';

const INVALID_CODE = { status: 422, code: 'invalid_code' };
const ENDED = { status: 410, code: 'enrollment_ended' };
const CONFIRMED = { status: 409, code: 'enrollment_confirmed' };
const NOT_FOUND = { status: 404, code: 'enrollment_not_found' };

describe('the enrolment of an authenticator app', () => {
  const service = useSharedService();
  const open = async (token: string) => {
    const { status, body } = await enroll(service, token);
    expect(status).toBe(201);
    return body as { enrollmentId: string; secret: string; otpauthUri: string; qrCode: string; expiresAt: string };
  };

  it('gives a secret, a key URI and a picture, and ten recovery codes with the first factor', async () => {
    const { token, person, userId } = await join(service);
    const { status, body } = await enroll(service, token, { label: ' My phone ' });
    expect(status).toBe(201);
    expect(body).toEqual({
      enrollmentId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      factor: 'totp',
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauthUri: expect.stringContaining(`secret=${body.secret as string}`),
      qrCode: expect.stringMatching(/^data:image\/svg\+xml;base64,/),
      expiresAt: expect.any(String),
    });
    const life = Date.parse(body.expiresAt as string) - Date.now();
    expect(life).toBeGreaterThan(9 * 60_000);
    expect(life).toBeLessThanOrEqual(10 * 60_000);
    // Nothing has changed yet.
    expect((await listFactors(service, token)).body).toEqual({ factors: [], recoveryCodesLeft: 0 });
    expect((await logIn(service, person)).body.accessToken).toBeDefined();

    const confirmed = await confirm(service, token, body.enrollmentId as string, appCode(body.secret as string));
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toEqual({ factorId: expect.any(String), recoveryCodes: expect.any(Array) });
    expect(new Set(confirmed.body.recoveryCodes as string[]).size).toBe(10);
    expect((await listFactors(service, token)).body).toEqual({
      factors: [
        {
          id: confirmed.body.factorId as string,
          factor: 'totp',
          label: 'My phone',
          confirmedAt: expect.any(String),
        },
      ],
      recoveryCodesLeft: 10,
    });
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT);
    const [added] = await auditEventsOf(service.database, userId, 'mfa.factor_added');
    expect(added).toMatchObject({ actor_id: userId, workflow_id: `mfa-enrollment/${userId}/totp` });
    expectProblem(
      await confirm(service, token, body.enrollmentId as string, appCode(body.secret as string)),
      CONFIRMED,
    );
    expectProblem(await cancel(service, token, body.enrollmentId as string), CONFIRMED);
  });

  testWithOathtool('and the logins after it take the codes of another program (oathtool)', async () => {
    const { token, person, userId } = await join(service);
    const { enrollmentId, secret } = await open(token);
    expect((await confirm(service, token, enrollmentId, oathtoolCode(secret))).status).toBe(200);
    await letStepsPass(service, userId);
    const { body } = await logIn(service, person);
    expect((await completeLogin(service, body.mfaToken as string, oathtoolCode(secret))).status).toBe(200);
  });

  it('of an account in Amharic tells its owner in Amharic', async () => {
    const { token, person } = await join(service);
    await service.http.send('PATCH', '/v1/users/me', { token, body: { locale: 'am' } });
    const { enrollmentId, secret } = await open(token);
    await confirm(service, token, enrollmentId, appCode(secret));
    await service.mailbox.waitFor(person.email, /ባለ ሁለት ደረጃ/);
  });

  it('bears five wrong codes, and then begins anew', async () => {
    const { token, userId } = await join(service);
    const { enrollmentId, secret } = await open(token);
    for (let tries = 0; tries < 5; tries += 1)
      expectProblem(await confirm(service, token, enrollmentId, staleCode(secret)), INVALID_CODE);
    expectProblem(await confirm(service, token, enrollmentId, appCode(secret)), ENDED);
    expect((await listFactors(service, token)).body.factors).toEqual([]);
    const failed = await auditEventsOf(service.database, userId, 'mfa.enrollment_failed');
    expect(failed).toHaveLength(5);
    const again = await open(token);
    expect(again.secret).not.toBe(secret);
    expect((await confirm(service, token, again.enrollmentId, appCode(again.secret))).status).toBe(200);
  });

  it('may be given up, twice as well', async () => {
    const { token } = await join(service);
    const { enrollmentId, secret } = await open(token);
    expect((await cancel(service, token, enrollmentId)).status).toBe(204);
    expect((await cancel(service, token, enrollmentId)).status).toBe(204);
    expectProblem(await confirm(service, token, enrollmentId, appCode(secret)), ENDED);
    const { rows } = await service.database.query(
      'SELECT status, secret_ciphertext FROM mfa_enrollments WHERE id = $1',
      [enrollmentId],
    );
    expect(rows).toEqual([{ status: 'ENDED', secret_ciphertext: null }]);
  });

  it('is nobody else’s', async () => {
    const { token } = await join(service);
    const { token: stranger } = await join(service);
    const { enrollmentId, secret } = await open(token);
    expectProblem(await confirm(service, stranger, enrollmentId, appCode(secret)), NOT_FOUND);
    expectProblem(await cancel(service, stranger, enrollmentId), NOT_FOUND);
    expect((await confirm(service, token, enrollmentId, appCode(secret))).status).toBe(200);
  });

  it('of a first factor needs a recent login', async () => {
    const { token, sessionId } = await join(service);
    await service.database.query(`UPDATE sessions SET auth_time = now() - interval '16 minutes' WHERE id = $1`, [
      sessionId,
    ]);
    expectProblem(await enroll(service, token), { status: 401, code: 'reauthentication_required' });
  });

  it('two at once keep one (better-auth#8627)', async () => {
    const { token, userId } = await join(service);
    const answers = await Promise.all(Array.from({ length: 4 }, () => enroll(service, token)));
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, ENDED);
    const begun = answers
      .filter(({ status }) => status === 201)
      .map(({ body }) => body as { enrollmentId: string; secret: string });
    const confirmations = await Promise.all(
      begun.map(({ enrollmentId, secret }) => confirm(service, token, enrollmentId, appCode(secret))),
    );
    expect(confirmations.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of confirmations.filter(({ status }) => status !== 200)) expectProblem(answer, ENDED);
    const { rows } = await service.database.query('SELECT 1 FROM factors WHERE user_id = $1', [userId]);
    expect(rows).toHaveLength(1);
  });

  it('confirmed many times at once is one factor and one notice', async () => {
    const { token, person, userId } = await join(service);
    const { enrollmentId, secret } = await open(token);
    const code = appCode(secret);
    const answers = await Promise.all(Array.from({ length: 8 }, () => confirm(service, token, enrollmentId, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, CONFIRMED);
    const { rows } = await service.database.query('SELECT 1 FROM recovery_codes WHERE user_id = $1', [userId]);
    expect(rows).toHaveLength(10);
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await service.mailbox.to(person.email, MFA_ENABLED_SUBJECT)).toHaveLength(1);
  });

  it('whose answer was lost is repeated under its key: the same secret, the same recovery codes', async () => {
    const { token } = await join(service);
    const [begin, finish] = [crypto.randomUUID(), crypto.randomUUID()];
    const forget = () =>
      service.database.query('UPDATE idempotency_keys SET answer_ciphertext = NULL, lease_expires_at = now()');
    const first = await enroll(service, token, {}, { 'idempotency-key': begin });
    await forget();
    const again = await enroll(service, token, {}, { 'idempotency-key': begin });
    expect(again.body).toEqual(first.body);
    const { enrollmentId, secret } = first.body as { enrollmentId: string; secret: string };
    const code = appCode(secret);
    const confirmed = await confirm(service, token, enrollmentId, code, { 'idempotency-key': finish });
    expect(confirmed.status).toBe(200);
    await forget();
    const repeated = await confirm(service, token, enrollmentId, code, { 'idempotency-key': finish });
    expect(repeated).toMatchObject({ status: 200, body: confirmed.body });
    // And by no other request.
    expectProblem(
      await confirm(service, token, enrollmentId, code, { 'idempotency-key': crypto.randomUUID() }),
      CONFIRMED,
    );
  });

  it('keeps the old factor in force until the new one is proven (better-auth#8627, #10923)', async () => {
    const owner = await protectedPerson(service);
    expectProblem(await enroll(service, owner.token), { status: 403, code: 'step_up_required' });
    const { body: session } = await logInFully(service, owner);
    const token = session.accessToken as string;
    const replacement = await open(token);
    for (let tries = 0; tries < 2; tries += 1)
      expectProblem(
        await confirm(service, token, replacement.enrollmentId, staleCode(replacement.secret)),
        INVALID_CODE,
      );
    expect((await logInFully(service, owner)).status).toBe(200);

    const { status, body } = await confirm(service, token, replacement.enrollmentId, appCode(replacement.secret));
    expect({ status, body }).toEqual({ status: 200, body: { factorId: expect.any(String) } });
    const { body: list } = await listFactors(service, token);
    expect(list).toMatchObject({ factors: [{ id: body.factorId as string }], recoveryCodesLeft: 10 });
    await letStepsPass(service, owner.userId);
    expectProblem(await logInFully(service, owner), INVALID_CODE);
    expect((await logInFully(service, { ...owner, secret: replacement.secret })).status).toBe(200);
    await service.mailbox.waitFor(owner.person.email, MFA_ENABLED_SUBJECT, 2);
  });
});

describe('an enrolment whose time is up', () => {
  const service = useSecondApi(useSharedService(), { MFA_ENROLLMENT_EXPIRES_IN: '3s' });
  const statusOf = async (enrollmentId: string): Promise<string | undefined> => {
    const { rows } = await service.database.query<{ status: string }>(
      'SELECT status FROM mfa_enrollments WHERE id = $1 AND secret_ciphertext IS NULL',
      [enrollmentId],
    );
    return rows[0]?.status;
  };

  it('expires, and nothing has changed', async () => {
    const { token } = await join(service);
    const { enrollmentId, secret } = (await enroll(service, token)).body as { enrollmentId: string; secret: string };
    await eventually('the end of the enrolment', () => statusOf(enrollmentId), 15_000);
    expectProblem(await confirm(service, token, enrollmentId, appCode(secret)), ENDED);
    expect((await listFactors(service, token)).body.factors).toEqual([]);
    expect((await enroll(service, token)).status).toBe(201);
  });

  it('and is confirmed at that instant ends in one of two states', async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => join(service)));
    await Promise.all(
      people.map(async ({ token, userId }, index) => {
        const { body } = await enroll(service, token);
        const { enrollmentId, secret, expiresAt } = body as { enrollmentId: string; secret: string; expiresAt: string };
        const pause = Date.parse(expiresAt) - Date.now() - 120 + index * 20;
        await new Promise((resolve) => setTimeout(resolve, pause));
        const answer = await confirm(service, token, enrollmentId, appCode(secret));
        const isConfirmed = answer.status === 200;
        if (!isConfirmed) expectProblem(answer, ENDED);
        await eventually('the end of the enrolment', () => statusOf(enrollmentId), 15_000);
        expect(await statusOf(enrollmentId)).toBe(isConfirmed ? 'CONFIRMED' : 'ENDED');
        const { rows } = await service.database.query(
          'SELECT (SELECT count(*)::int FROM factors WHERE user_id = $1) AS factors, (SELECT count(*)::int FROM recovery_codes WHERE user_id = $1) AS codes',
          [userId],
        );
        expect(rows).toEqual([isConfirmed ? { factors: 1, codes: 10 } : { factors: 0, codes: 0 }]);
      }),
    );
  });
});
