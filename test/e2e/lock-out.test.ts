import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import type { Answer } from '../support/http-client';
import { appCode, completeLogin, protectedPerson, staleCode } from '../support/mfa';
import { newPerson, type Person, signUp } from '../support/people';
import { changePassword, forgot, mailedToken } from '../support/passwords';
import { expectProblem } from '../support/problems';
import { useTestService } from '../support/service';

const INVALID = { status: 401, code: 'invalid_credentials' };
const DELAYED = { status: 429, code: 'login_delayed' };
const FREE = 4;
const MAX = 12;

describe('lock-out', () => {
  const service = useTestService({
    env: {
      RATE_LIMIT_MODE: 'enforce',
      TRUSTED_PROXY_HOPS: '1',
      RATE_LIMIT_CREDENTIALS: 'address=100000,range=100000,account=100000,window=1m',
      LOCKOUT_FREE_FAILURES: String(FREE),
      LOCKOUT_BASE_DELAY: '1s',
      LOCKOUT_MAX_DELAY: '4s',
      LOCKOUT_MAX_FAILURES: String(MAX),
      LOCKOUT_FORGET_AFTER: '20s',
    },
  });

  interface Place {
    readonly address: string;
    readonly device?: string;
  }
  const login = (person: Pick<Person, 'email' | 'password'>, { address, device }: Place): Promise<Answer> =>
    service.http.post(
      '/v1/auth/login',
      { email: person.email, password: person.password },
      { headers: { 'x-forwarded-for': address, ...(device !== undefined && { 'x-device-id': device }) } },
    );
  const guess = (person: Pick<Person, 'email'>, place: Place) =>
    login({ email: person.email, password: 'a guess that is wrong' }, place);
  const retryAfter = ({ headers }: Answer): number => Number(headers.get('retry-after'));

  const newOwner = async (): Promise<Person> => {
    const person = newPerson();
    expect((await signUp(service, person)).status).toBe(201);
    return person;
  };

  it('cannot be turned on the owner: a known device logs in whatever strangers do (keycloak#46164)', async () => {
    const owner = await newOwner();
    const home = { address: '198.51.100.5', device: randomUUID() };
    expect((await login(owner, home)).status).toBe(200);
    // From everywhere, the owner's own range included, until nobody unknown may even try.
    for (let count = 0; count < 40; count += 1) {
      const address = count % 2 === 0 ? '198.51.100.66' : `203.0.${String(count)}.9`;
      expect([401, 429]).toContain((await guess(owner, { address, device: randomUUID() })).status);
    }
    expectProblem(await login(owner, { address: '192.0.2.1' }), DELAYED);
    expectProblem(await login(owner, { address: '198.51.100.5', device: randomUUID() }), DELAYED);
    for (let count = 0; count < 3; count += 1) expect((await login(owner, home)).status).toBe(200);
    // On the road as well: it is the device that counts.
    const wrong = await guess(owner, { ...home, address: '192.0.2.77' });
    expectProblem(wrong, INVALID);
    expect((await login(owner, { ...home, address: '192.0.2.77' })).status).toBe(200);
    // A login from it forgets what strangers did.
    expect((await login(owner, { address: '192.0.2.1' })).status).toBe(200);
  });

  it('delays grow with each failure, refuse the right password too, and end by themselves', async () => {
    const owner = await newOwner();
    const place = { address: '198.51.101.5' };
    for (let count = 0; count < FREE; count += 1) expectProblem(await guess(owner, place), INVALID);
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const delayed = await login(owner, place);
      expectProblem(delayed, DELAYED);
      waits.push(retryAfter(delayed));
      await sleep(retryAfter(delayed) * 1_000);
      if (round < 3) expectProblem(await guess(owner, place), INVALID);
    }
    expect(waits).toEqual([1, 2, 4, 4]);
    expect((await login(owner, place)).status).toBe(200);
    // In a row: a success ends the row.
    for (let count = 0; count < FREE; count += 1) expectProblem(await guess(owner, place), INVALID);
    expectProblem(await guess(owner, place), DELAYED);
  });

  it('delays guesses at the second factor as well, whose right code waits too', async () => {
    const owner = await protectedPerson(service);
    const place = { address: '198.51.102.5' };
    const headers = { 'x-forwarded-for': place.address };
    const { body } = await login(owner.person, place);
    const show = (code: string) => completeLogin(service, body.mfaToken as string, code, 'totp', headers);
    for (let count = 0; count < FREE; count += 1)
      expectProblem(await show(staleCode(owner.secret)), { status: 422, code: 'invalid_code' });
    const delayed = await show(appCode(owner.secret));
    expectProblem(delayed, DELAYED);
    // The right password clears nothing, and buys no new tries meanwhile.
    expectProblem(await login(owner.person, place), DELAYED);
    await sleep(retryAfter(delayed) * 1_000);
    expect((await show(appCode(owner.secret))).status).toBe(200);
  });

  it('treats an address that nobody has in the same way (kratos#133, ASVS 6.3.8)', async () => {
    const owner = await newOwner();
    const told = await Promise.all(
      [owner, newPerson()].map(async (person, index) => {
        const answers: unknown[] = [];
        for (let count = 0; count < FREE + 6; count += 1) {
          const answer = await guess(person, { address: `198.51.${String(110 + index)}.7`, device: randomUUID() });
          answers.push([answer.status, answer.body.code, answer.body.detail, answer.headers.get('retry-after')]);
        }
        return answers;
      }),
    );
    expect(told[0]).toEqual(told[1]);
  });

  it('a known device answers for its own failures only, and too many make it a stranger', async () => {
    const owner = await newOwner();
    const [phone, tablet] = [randomUUID(), randomUUID()];
    for (const device of [phone, tablet])
      expect((await login(owner, { address: '192.0.2.9', device })).status).toBe(200);
    const stolen = { address: '203.0.113.1', device: phone };
    for (let count = 0; count < FREE; count += 1) expectProblem(await guess(owner, stolen), INVALID);
    expectProblem(await guess(owner, stolen), DELAYED);
    expect((await login(owner, { address: '203.0.113.1' })).status).toBe(200);
    expect((await login(owner, { address: '203.0.113.1', device: tablet })).status).toBe(200);
    // As if it had gone on patiently.
    await service.database.query(
      "UPDATE login_failures SET failures = $1, last_failed_at = now() - interval '5 seconds' WHERE failures = $2",
      [MAX - 1, FREE],
    );
    expectProblem(await guess(owner, stolen), INVALID);
    const { rows } = await service.database.query('SELECT 1 FROM known_devices d JOIN users u ON u.id = d.user_id');
    const before = rows.length;
    expect((await login(owner, stolen)).status).toBe(200);
    const after = await service.database.query('SELECT 1 FROM known_devices');
    expect(after.rows).toHaveLength(before + 1);
  });

  it('a device is known from the registration on', async () => {
    const person = newPerson();
    const device = randomUUID();
    const { body } = await service.http.post('/v1/auth/register', person);
    const [mail] = await service.mailbox.waitFor(person.email, /Confirm/);
    const code = /^\d{6}$/m.exec(mail?.text ?? '')?.[0];
    const verified = await service.http.post(
      `/v1/auth/register/${String(body.registrationId)}/verify`,
      { code },
      { headers: { 'x-device-id': device } },
    );
    expect(verified.status).toBe(201);
    for (let count = 0; count < 20; count += 1) await guess(person, { address: `203.0.${String(200 + count)}.9` });
    expectProblem(await login(person, { address: '192.0.2.201' }), DELAYED);
    expect((await login(person, { address: '192.0.2.201', device })).status).toBe(200);
  });

  it('ends by mail: whoever resets the password logs in at once, by address and by phone', async () => {
    const owner = { ...newPerson(), phone: `+2519${String(Date.now()).slice(-8)}` };
    expect((await signUp(service, owner)).status).toBe(201);
    const [home, elsewhere] = [{ address: '198.51.103.5' }, { address: '198.51.104.5' }];
    const byPhone = (password: string) =>
      service.http.post(
        '/v1/auth/login',
        { phone: owner.phone, password },
        { headers: { 'x-forwarded-for': home.address } },
      );
    for (let count = 0; count < 2 * FREE + 2; count += 1) {
      await guess(owner, count % 2 === 0 ? home : elsewhere);
      await byPhone('a guess that is wrong');
    }
    expectProblem(await login(owner, home), DELAYED);
    expectProblem(await byPhone(owner.password), DELAYED);

    expect((await forgot(service, owner.email)).status).toBe(202);
    const [token, newPassword] = [await mailedToken(service, owner.email), 'a new sentence for the lock'];
    const reset = { token, newPassword };
    const headers = { 'x-forwarded-for': home.address };
    expect((await service.http.post('/v1/auth/password/reset', reset, { headers })).status).toBe(204);

    expect((await login({ ...owner, password: newPassword }, home)).status).toBe(200);
    expect((await byPhone(newPassword)).status).toBe(200);
  });

  it('delays guesses at the current password as well, from a session that was stolen', async () => {
    const owner = newPerson();
    const { body } = await signUp(service, owner);
    const change = (current: string) =>
      changePassword(service, body.accessToken as string, current, 'a new sentence for the lock');
    for (let count = 0; count < FREE; count += 1) expectProblem(await change('a guess that is wrong'), INVALID);
    expectProblem(await change(owner.password), DELAYED);
  });

  it('guesses from many ranges at once get no more tries than the account allows', async () => {
    const owner = await newOwner();
    let looked = 0;
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, index) =>
          guess(owner, { address: `100.${String(64 + round)}.${String(index)}.1` }),
        ),
      );
      looked += answers.filter(({ status }) => status === 401).length;
    }
    // Eight are free, some were under way at the same time.
    expect(looked).toBeLessThanOrEqual(MAX + 4);
    const { rows } = await service.database.query<{ key: Buffer }>('SELECT key FROM login_failures');
    for (const { key } of rows) expect(key).toHaveLength(32);
  });
});
