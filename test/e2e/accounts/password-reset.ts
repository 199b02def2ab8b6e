import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { eventually } from '../../support/eventually';
import { mannWhitney, median } from '../../support/mann-whitney';
import {
  changePassword,
  forgot,
  mailedToken,
  PASSWORD_CHANGED_SUBJECT,
  RESET_SUBJECT,
  resetPassword,
} from '../../support/passwords';
import { logIn, newPerson, type Person, signUp } from '../../support/people';
import { complaints, expectProblem } from '../../support/problems';
import { inProof } from '../../support/proofs';
import { useSecondApi } from '../../support/second-process';
import { useSharedService } from '../../support/service';
import { withTemporal } from '../../support/temporal';

/** Of each kind, as the issue asks for. */
const SAMPLES = inProof(500, 150);
/** A network hides a difference of this size, milliseconds. */
const NEGLIGIBLE_MS = 1;
const INVALID = { status: 422, code: 'invalid_reset_token' };
const NEW_PASSWORD = 'quite another long secret';

describe('a forgotten password', () => {
  const service = useSharedService();

  const account = async (more: Partial<Person> = {}) => {
    const person = newPerson(more);
    const { body } = await signUp(service, person);
    return { person, userId: body.user.id as string, accessToken: body.accessToken as string, tokens: body };
  };
  const me = (token: string) => service.http.get('/v1/users/me', { token });
  const factor = (userId: string) =>
    service.database.query(
      `INSERT INTO factors (id, user_id, type, confirmed_at) VALUES (gen_random_uuid(), $1, 'TOTP', now())`,
      [userId],
    );
  const runs = (query: string) =>
    withTemporal(service, async (client) => {
      const found: { status: string; attributes: Record<string, unknown>; workflowId: string }[] = [];
      for await (const { status, typedSearchAttributes, workflowId } of client.workflow.list({ query }))
        found.push({
          workflowId,
          status: status.name,
          attributes: Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
        });
      return found;
    });

  it('is replaced: the new one works, the old one and every session do not, the second factor stays, the owner is told', async () => {
    const { person, userId, accessToken, tokens } = await account();
    const other = await logIn(service, person);
    await factor(userId);
    const answer = await forgot(service, person.email.toUpperCase());
    expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status: 202, body: undefined });
    const token = await mailedToken(service, person.email);

    expect(await resetPassword(service, token, NEW_PASSWORD)).toMatchObject({ status: 204, body: undefined });

    for (const old of [accessToken, other.body.accessToken as string]) expect((await me(old)).status).toBe(401);
    for (const { refreshToken } of [tokens, other.body] as { refreshToken: string }[])
      expect((await service.http.post('/v1/auth/refresh', { refreshToken })).status).toBe(401);
    expectProblem(await logIn(service, person), { status: 401, code: 'invalid_credentials' });
    expect((await logIn(service, { ...person, password: NEW_PASSWORD })).body).toMatchObject({ mfaRequired: true });
    expect((await service.database.query('SELECT 1 FROM factors WHERE user_id = $1', [userId])).rowCount).toBe(1);
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT);

    const [run] = await eventually('the completed workflow', async () => {
      const found = await runs(`MeqenetUserId = '${userId}' AND WorkflowType = 'passwordReset'`);
      return found[0]?.status === 'COMPLETED' && found;
    });
    expect(run?.attributes['MeqenetPasswordResetStatus']).toBe('completed');
    expect(run?.workflowId).toMatch(/^password-reset\/[A-Za-z0-9_-]{43}$/);
    // Once: used, and not by a second attempt at the same time either.
    expectProblem(await resetPassword(service, token, `${NEW_PASSWORD} 2`), INVALID, [token]);
    expect(await service.mailbox.to(person.email, PASSWORD_CHANGED_SUBJECT)).toHaveLength(1);
  });

  it('has a token that works once, however many use it at the same time', async () => {
    const { person } = await account();
    await forgot(service, person.email);
    const token = await mailedToken(service, person.email);
    const passwords = Array.from({ length: 8 }, (_, index) => `${NEW_PASSWORD} number ${String(index)}`);
    const answers = await Promise.all(passwords.map((password) => resetPassword(service, token, password)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 7 }, () => 422)]);
    const winner = passwords[answers.findIndex(({ status }) => status === 204)] ?? '';
    expect((await logIn(service, { ...person, password: winner })).status).toBe(200);
  });

  it('is answered alike whatever is wrong with the token', async () => {
    for (const token of ['not-a-token', 'A'.repeat(43), 'A'.repeat(128)])
      expectProblem(await resetPassword(service, token, NEW_PASSWORD), INVALID, [token, NEW_PASSWORD]);
    const empty = await resetPassword(service, '', NEW_PASSWORD);
    expect([empty.status, complaints(empty)]).toEqual([400, ['/token']]);
  });

  it('is told in Amharic too', async () => {
    const answer = await service.http.post(
      '/v1/auth/password/reset',
      { token: 'x', newPassword: NEW_PASSWORD },
      { headers: { 'accept-language': 'am' } },
    );
    expect(answer.body.detail).toMatch(/\p{Script=Ethiopic}/u);
    const person = newPerson({ locale: 'am' });
    const { body } = await service.http.post('/v1/auth/register', person);
    const [mail] = await service.mailbox.waitFor(person.email, /./);
    await service.http.post(`/v1/auth/register/${body.registrationId as string}/verify`, {
      code: /^\d{6}$/m.exec(mail?.text ?? '')?.[0],
    });
    await forgot(service, person.email);
    await service.mailbox.waitFor(person.email, /የይለፍ ቃልዎን ዳግም/);
  });

  it('is subject to the policy, and a refusal does not use the token up', async () => {
    const { person } = await account({ firstName: 'Zerihunawit' });
    await forgot(service, person.email);
    const token = await mailedToken(service, person.email);
    for (const [weak, code] of [
      ['short', 'custom'],
      ['x'.repeat(129), 'custom'],
      ['iloveyou', 'password_too_common'],
      ['abababababab', 'password_too_simple'],
      ['zerihunawit1', 'password_personal'],
    ] as const) {
      const answer = await resetPassword(service, token, weak);
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(answer.body.errors).toEqual([{ path: '/newPassword', code, message: expect.any(String) }]);
    }
    expect((await resetPassword(service, token, NEW_PASSWORD)).status).toBe(204);
  });

  it('asked for again at once is one mail', async () => {
    const { person } = await account();
    await forgot(service, person.email);
    await mailedToken(service, person.email);
    await Promise.all(Array.from({ length: 5 }, () => forgot(service, person.email)));
    await sleep(1_000);
    expect(await service.mailbox.to(person.email, RESET_SUBJECT)).toHaveLength(1);
    const open = await runs(`WorkflowType = 'passwordReset' AND ExecutionStatus = 'Running'`);
    expect(open.length).toBeGreaterThan(0);
  });

  it('cannot be used to flood an address with mail', async () => {
    const { person, userId } = await account();
    for (let round = 1; round <= 5; round += 1) {
      await forgot(service, person.email);
      await resetPassword(service, await mailedToken(service, person.email, round), `${NEW_PASSWORD} ${String(round)}`);
      await eventually('the end of the workflow', async () => {
        const { rowCount } = await service.database.query(
          `SELECT 1 FROM password_resets WHERE user_id = $1 AND status = 'COMPLETED'`,
          [userId],
        );
        const closed = await runs(
          `MeqenetUserId = '${userId}' AND WorkflowType = 'passwordReset' AND ExecutionStatus = 'Completed'`,
        );
        return rowCount === round && closed.length === round;
      });
    }
    expect((await forgot(service, person.email)).status).toBe(202);
    await sleep(1_500);
    expect(await service.mailbox.to(person.email, RESET_SUBJECT)).toHaveLength(5);
  }, 60_000);

  it('has a link that a change of the password takes its power', async () => {
    const { person, accessToken } = await account();
    await forgot(service, person.email);
    const token = await mailedToken(service, person.email);
    expect((await changePassword(service, accessToken, person.password, NEW_PASSWORD)).status).toBe(204);
    expectProblem(await resetPassword(service, token, `${NEW_PASSWORD} 2`), INVALID);
  });

  it('of nobody cannot be told from that of an account by answer or time (kratos#133, ASVS 6.3.8)', async () => {
    const { person } = await account();
    const ask = async (email: string) => {
      const begin = performance.now();
      const { status, headers, body } = await forgot(service, email);
      const ms = performance.now() - begin;
      const told = [...headers.entries()]
        .filter(([name]) => !['date', 'x-request-id', 'ratelimit'].includes(name))
        .sort();
      return { ms, answer: { status, body: body as unknown, told } };
    };
    const times = { known: [] as number[], unknown: [] as number[] };
    const nobody = `nobody-${person.email}`;
    for (let sample = -20; sample < SAMPLES; sample += 1) {
      const known = await ask(person.email);
      const unknown = await ask(nobody);
      expect(unknown.answer).toEqual(known.answer);
      if (sample < 0) continue;
      times.known.push(known.ms);
      times.unknown.push(unknown.ms);
    }
    const { p } = mannWhitney(times.known, times.unknown);
    const [known, unknown] = [median(times.known), median(times.unknown)];
    process.stdout.write(
      `password/forgot answers: known address p50 ${known.toFixed(2)} ms, unknown address p50 ${unknown.toFixed(2)} ms, ` +
        `${String(SAMPLES)} samples each, Mann-Whitney p = ${p.toFixed(3)}\n`,
    );
    expect(p > 0.001 || Math.abs(known - unknown) < NEGLIGIBLE_MS).toBe(true);
    expect(await service.mailbox.to(nobody)).toEqual([]);
  }, 120_000);
});

describe('a reset that nobody uses', () => {
  const service = useSecondApi(useSharedService(), { PASSWORD_RESET_EXPIRES_IN: '3s' });
  /** Those of this block. */
  const shortLived = async () => {
    const { rows } = await service.database.query<{ status: string; token_hash: unknown }>(
      `SELECT status, token_hash FROM password_resets WHERE expires_at < last_issued_at + interval '1 minute'`,
    );
    return rows;
  };

  it('expires by its timer: the link is dead, the password stays, of a decoy nothing is left', async () => {
    const person = newPerson();
    await signUp(service, person);
    await forgot(service, person.email);
    await forgot(service, `nobody-${person.email}`);
    const token = await mailedToken(service, person.email);
    await eventually('both rows', async () => (await shortLived()).length === 2);
    await eventually('the expiry', async () => {
      const rows = await shortLived();
      return rows.length === 1 && rows[0]?.status === 'EXPIRED' && rows[0].token_hash === null;
    });
    expectProblem(await resetPassword(service, token, NEW_PASSWORD), INVALID);
    expect((await logIn(service, person)).status).toBe(200);
  });
});
