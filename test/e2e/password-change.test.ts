import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import { changePassword, forgot, mailedToken, PASSWORD_CHANGED_SUBJECT, resetPassword } from '../support/passwords';
import { logIn, newPerson, newPhone, type Person, register, signUp } from '../support/people';
import { complaints, expectProblem } from '../support/problems';
import { startSecondApi, useSecondApi } from '../support/second-process';
import { type TestService, useTestService } from '../support/service';

const NEW_PASSWORD = 'quite another long secret';
const INVALID_CREDENTIALS = { status: 401, code: 'invalid_credentials' };

const account = async (service: TestService, more: Partial<Person> = {}) => {
  const person = newPerson(more);
  const { body } = await signUp(service, person);
  return { person, userId: body.user.id as string, token: body.accessToken as string };
};
const hashOf = async ({ database }: TestService, userId: string): Promise<string> => {
  const { rows } = await database.query<{ hash: string }>('SELECT hash FROM password_credentials WHERE user_id = $1', [
    userId,
  ]);
  return rows[0]?.hash ?? '';
};
const saltOf = (hash: string): string => hash.split('$')[4] ?? '';

const service = useTestService({ env: { NOTICE_SWEEP_INTERVAL: '2s' } });

describe('a change of the password', () => {
  const me = async (token: string) => (await service.http.get('/v1/users/me', { token })).status;

  it('ends the other sessions at once and not this one; the old password stops working, the new one works', async () => {
    const { person, token } = await account(service);
    const other = (await logIn(service, person)).body as { accessToken: string; refreshToken: string };
    expect(await me(other.accessToken)).toBe(200);
    const answer = await changePassword(service, token, person.password, NEW_PASSWORD);
    expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status: 204, body: undefined });
    expect(await me(other.accessToken)).toBe(401);
    const refresh = await service.http.post('/v1/auth/refresh', { refreshToken: other.refreshToken });
    expectProblem(refresh, { status: 401, code: 'invalid_refresh_token' });
    expect(await me(token)).toBe(200);
    expectProblem(await logIn(service, person), INVALID_CREDENTIALS);
    expect((await logIn(service, { ...person, password: NEW_PASSWORD })).status).toBe(200);
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT);
    expect(await service.mailbox.to(person.email, PASSWORD_CHANGED_SUBJECT)).toHaveLength(1);
  });

  it('needs the current password and a session', async () => {
    const { person, token, userId } = await account(service);
    const before = await hashOf(service, userId);
    expectProblem(await changePassword(service, token, 'not this one', NEW_PASSWORD), INVALID_CREDENTIALS, [
      NEW_PASSWORD,
    ]);
    expectProblem(await changePassword(service, 'x.y.z', person.password, NEW_PASSWORD), {
      status: 401,
      code: 'invalid_token',
    });
    const empty = await service.http.post('/v1/auth/password/change', {}, { token });
    expect([empty.status, complaints(empty).sort()]).toEqual([400, ['/currentPassword', '/newPassword']]);
    expect(await hashOf(service, userId)).toBe(before);
    expect(await service.mailbox.to(person.email, PASSWORD_CHANGED_SUBJECT)).toEqual([]);
  });

  it('is subject to the policy: 8 to 128 code points after NFC, nothing common, simple or personal', async () => {
    const { person, token } = await account(service, { firstName: 'Zerihunawit', phone: newPhone() });
    const change = (to: string) => changePassword(service, token, person.password, to);
    for (const [weak, code] of [
      ['1234567', 'custom'],
      // 14 code points as typed, 7 after NFC.
      ['e\u0301'.repeat(7), 'custom'],
      ['ሀለ'.repeat(65), 'custom'],
      ['password1', 'password_too_common'],
      ['P-A-S-S-W-O-R-D-1', 'password_too_common'],
      ['abababababab', 'password_too_simple'],
      ['Zerihunawit12', 'password_personal'],
      [person.phone?.replace('+251', '0') ?? '', 'password_personal'],
    ] as const) {
      const answer = await change(weak);
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(answer.body.errors).toEqual([{ path: '/newPassword', code, message: expect.any(String) }]);
    }
    expect((await change('ሚስጥሬ ነው 🔑')).status).toBe(204);
    // The same in another form of Unicode.
    expect((await logIn(service, { ...person, password: 'ሚስጥሬ ነው 🔑'.normalize('NFD') })).status).toBe(200);
  });

  it('happens once when two are sent at the same time', async () => {
    const { person, token } = await account(service);
    const passwords = [1, 2, 3, 4].map((number) => `${NEW_PASSWORD} ${String(number)}`);
    const answers = await Promise.all(passwords.map((to) => changePassword(service, token, person.password, to)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401]);
    const winner = passwords[answers.findIndex(({ status }) => status === 204)] ?? '';
    expect((await logIn(service, { ...person, password: winner })).status).toBe(200);
  });

  it('leaves no session that the old password opens at the same moment', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { person, token } = await account(service);
      const [changed, ...logins] = await Promise.all([
        changePassword(service, token, person.password, NEW_PASSWORD),
        ...Array.from({ length: 6 }, () => logIn(service, person)),
      ]);
      expect(changed.status).toBe(204);
      for (const { status, body } of logins) {
        expect([200, 401]).toContain(status);
        if (status !== 200) continue;
        const me = await service.http.get('/v1/users/me', { token: body.accessToken as string });
        expectProblem(me, { status: 401, code: 'invalid_token' });
      }
      expect((await service.http.get('/v1/users/me', { token })).status).toBe(200);
    }
  });

  it('and a reset at the same moment do not wait for each other: at least one is done, none fails', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { person, token } = await account(service);
      await forgot(service, person.email);
      const reset = await mailedToken(service, person.email);
      const [changed, replaced] = await Promise.all([
        changePassword(service, token, person.password, `${NEW_PASSWORD} changed`),
        resetPassword(service, reset, `${NEW_PASSWORD} reset`),
      ]);
      expect([204, 401]).toContain(changed.status);
      expect([204, 422]).toContain(replaced.status);
      expect([changed.status, replaced.status]).toContain(204);
    }
  });

  it('repeated under its Idempotency-Key after a crash has succeeded, and without it has not', async () => {
    const { person, token } = await account(service);
    const body = { currentPassword: person.password, newPassword: NEW_PASSWORD };
    const headers = { 'idempotency-key': randomUUID() };
    const change = () => service.http.post('/v1/auth/password/change', body, { token, headers });
    expect((await change()).status).toBe(204);
    // As a crash before the answer was noted leaves it.
    await service.database.query('UPDATE idempotency_keys SET answer_ciphertext = NULL, lease_expires_at = now()');
    expect((await change()).status).toBe(204);
    expectProblem(await service.http.post('/v1/auth/password/change', body, { token }), INVALID_CREDENTIALS);
    expect(await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT)).toHaveLength(1);
  });

  it('is told to the owner though Redis was away', async () => {
    const { person, token } = await account(service);
    await service.mailbox.waitFor(person.email, /Welcome/);
    await service.stack.valkey?.stop();
    try {
      expect((await changePassword(service, token, person.password, NEW_PASSWORD)).status).toBe(204);
    } finally {
      await service.stack.valkey?.start();
    }
    await service.mailbox.waitFor(person.email, PASSWORD_CHANGED_SUBJECT, 1, 40_000);
  }, 60_000);
});

describe('a login renews the hash', () => {
  it('of a registration by one with a random salt, and no other; the sessions go on', async () => {
    const { person, userId, token } = await account(service);
    const registered = await hashOf(service, userId);
    await logIn(service, person);
    const renewed = await eventually('another hash', async () => {
      const hash = await hashOf(service, userId);
      return hash !== registered && hash;
    });
    expect(saltOf(renewed)).not.toBe(saltOf(registered));
    await logIn(service, person);
    expect((await logIn(service, person)).status).toBe(200);
    expect((await service.http.get('/v1/users/me', { token })).status).toBe(200);
    expect(await hashOf(service, userId)).toBe(renewed);
    expect(await service.mailbox.to(person.email, PASSWORD_CHANGED_SUBJECT)).toEqual([]);
  });

  it('when the parameters change, but not for a wrong password', async () => {
    const { person, userId } = await account(service);
    await logIn(service, person);
    expect(await hashOf(service, userId)).toContain('$m=19456,t=2,p=1$');
    const { process, http } = await startSecondApi(service, { ARGON2_ITERATIONS: '3' });
    const changed = { ...service, http };
    try {
      expectProblem(await logIn(changed, { ...person, password: 'not this one' }), INVALID_CREDENTIALS);
      expect(await hashOf(service, userId)).toContain('$m=19456,t=2,p=1$');
      expect((await logIn(changed, person)).status).toBe(200);
      await eventually('the hash of today', async () => (await hashOf(service, userId)).includes('$m=19456,t=3,p=1$'));
      expect((await logIn(changed, person)).status).toBe(200);
    } finally {
      await process.stop();
    }
  });
});

describe('a stricter policy', () => {
  /** A service of the range protocol that knows these. */
  const stolen = ['a stolen pass phrase', 'another stolen phrase'];
  const breaches = createServer((request, response) => {
    const lines = stolen
      .map((password) => createHash('sha1').update(password).digest('hex').toUpperCase())
      .filter((digest) => request.url === `/range/${digest.slice(0, 5)}`)
      .map((digest) => `${digest.slice(5)}:7`);
    response.end([...lines, `${'0'.repeat(35)}:0`].join('\r\n'));
  });
  const env: Record<string, string> = { PASSWORD_POLICY: 'nist-single-factor' };
  // Before the service starts, which is told its port.
  beforeAll(async () => {
    await once(breaches.listen(0, '127.0.0.1'), 'listening');
    const { port } = breaches.address() as AddressInfo;
    env['PASSWORD_BREACH_CHECK_URL'] = `http://127.0.0.1:${String(port)}/range`;
  });
  afterAll(() => {
    breaches.close();
  });
  const strict = useSecondApi(service, env);

  it('asks for 15 characters until a second factor is on, and refuses what was stolen', async () => {
    for (const [password, code] of [
      ['14 characters!', 'password_too_short'],
      [stolen[0] ?? '', 'password_breached'],
    ] as const) {
      const answer = await register(strict, newPerson({ password }));
      expectProblem(answer, { status: 400, code: 'validation_failed' });
      expect(answer.body.errors).toMatchObject([{ path: '/password', code }]);
    }
    const { person, userId, token } = await account(service);
    const short = await changePassword(strict, token, person.password, '14 characters!');
    expect(short.body.errors).toMatchObject([{ path: '/newPassword', code: 'password_too_short' }]);
    const known = await changePassword(strict, token, person.password, stolen[1] ?? '');
    expect(known.body.errors).toMatchObject([{ path: '/newPassword', code: 'password_breached' }]);
    await strict.database.query(
      `INSERT INTO factors (id, user_id, type, confirmed_at) VALUES (gen_random_uuid(), $1, 'TOTP', now())`,
      [userId],
    );
    expect((await changePassword(strict, token, person.password, '14 characters!')).status).toBe(204);
    await forgot(strict, person.email);
    const reset = await mailedToken(strict, person.email);
    expect((await resetPassword(strict, reset, '13 characters')).status).toBe(204);
  });

  it('goes on when the breach service is gone', async () => {
    breaches.closeAllConnections();
    const closed = once(breaches, 'close');
    breaches.close();
    await closed;
    expect((await register(strict, newPerson({ password: stolen[0] ?? '' }))).status).toBe(202);
  });
});
