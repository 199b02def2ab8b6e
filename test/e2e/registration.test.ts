import { describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import {
  logIn,
  mailedCode,
  newFaydaId,
  newPerson,
  newPhone,
  register,
  signUp,
  verify,
  WELCOME_SUBJECT,
  wrongCode,
} from '../support/people';
import { storedJobs } from '../support/queue';
import { useTestService } from '../support/service';
import { describeRun } from '../support/temporal';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a registration', () => {
  const service = useTestService({ env: { RATE_LIMIT_MODE: 'enforce' } });

  it('goes from the request to the welcome mail, the login and the profile', async () => {
    const person = newPerson({
      phone: '0911 23 45 67',
      faydaId: '6140 7982 3471',
      firstName: 'አበበ',
      lastName: 'Bikila',
    });
    const accepted = await register(service, person);
    expect(accepted.status).toBe(202);
    expect(accepted.body).toEqual({
      registrationId: expect.stringMatching(UUID_V7),
      status: 'verification_pending',
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(Date.parse(accepted.body.expiresAt as string) - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    const { registrationId } = accepted.body as { registrationId: string };

    expect(await logIn(service, person)).toMatchObject({ status: expect.any(Number) });
    const code = await mailedCode(service, person.email);
    expect((await logIn(service, person)).body.code).toBe('verification_required');
    expect((await logIn(service, { ...person, password: 'not the password' })).body.code).toBe('invalid_credentials');

    const pending = await service.http.get(`/v1/auth/register/${registrationId}`);
    expect(pending.body).toEqual(accepted.body);

    const verified = await verify(service, registrationId, code);
    expect(verified.status).toBe(201);
    expect(verified.body).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 900,
      sessionId: expect.stringMatching(UUID_V7),
    });
    expect((await service.http.get(`/v1/auth/register/${registrationId}`)).body.status).toBe('completed');

    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    const jobs = await storedJobs(service);
    expect(jobs).toEqual([
      {
        id: `user-registered-${String(verified.body.user.id)}`,
        name: 'user:registered',
        data: { userId: verified.body.user.id, email: person.email, locale: 'en' },
      },
    ]);

    const loggedIn = await logIn(service, person);
    expect(loggedIn.status).toBe(200);
    const byPhone = await service.http.post('/v1/auth/login', { phone: '+251911234567', password: person.password });
    expect(byPhone.status).toBe(200);
    const me = await service.http.get('/v1/users/me', { token: loggedIn.body.accessToken as string });
    expect(me.status).toBe(200);
    expect(me.body).toEqual({
      id: verified.body.user.id,
      email: person.email,
      emailVerified: true,
      phone: '+251911234567',
      phoneVerified: false,
      faydaId: '********3471',
      firstName: 'አበበ',
      lastName: 'Bikila',
      locale: 'en',
      roles: ['CUSTOMER'],
      restrictions: [],
      createdAt: expect.any(String),
    });
  });

  it('tells its story in the Temporal UI, and only to whoever has the key', async () => {
    const person = newPerson();
    const { body } = await register(service, person);
    await mailedCode(service, person.email);
    const waiting = await eventually('details of the waiting', async () => {
      const run = await describeRun(service, body.registrationId as string);
      return run.currentDetails.includes('Waiting for the code') && run;
    });
    expect(waiting.staticSummary).toBe('A person registers');
    expect(waiting.searchAttributes).toMatchObject({ MeqenetRegistrationStatus: 'verification_pending' });
    expect(waiting.raw).not.toContain('A person registers');
    expect(waiting.raw).not.toContain(person.email);

    const verified = await verify(service, body.registrationId as string, await mailedCode(service, person.email));
    const done = await eventually('the end of the workflow', async () => {
      const run = await describeRun(service, body.registrationId as string);
      return run.status === 'COMPLETED' && run;
    });
    expect(done.currentDetails).toContain('Completed: the account is open');
    expect(done.searchAttributes).toMatchObject({
      MeqenetRegistrationStatus: 'completed',
      MeqenetUserId: verified.body.user.id,
    });
  });

  it('writes to people in their language', async () => {
    const [amharic, byHeader] = [newPerson({ locale: 'am' }), newPerson()];
    await register(service, amharic);
    await service.http.post('/v1/auth/register', byHeader, {
      headers: { 'accept-language': 'am-ET,am;q=0.9,en;q=0.5' },
    });
    await service.mailbox.waitFor(amharic.email, /ያረጋግጡ/);
    await service.mailbox.waitFor(byHeader.email, /ያረጋግጡ/);
  });

  it('with a taken address, phone or Fayda ID is accepted like any other, and ends in nothing', async () => {
    const owner = newPerson({ phone: newPhone(), faydaId: newFaydaId() });
    await signUp(service, owner);
    const takers = [
      { person: newPerson({ email: owner.email }), subject: /already have/ },
      { person: newPerson({ phone: owner.phone ?? '' }), subject: /could not be completed/ },
      { person: newPerson({ faydaId: owner.faydaId ?? '' }), subject: /could not be completed/ },
    ];
    for (const { person, subject } of takers) {
      const answer = await register(service, person);
      expect(answer.status).toBe(202);
      await service.mailbox.waitFor(person.email, subject);
      const { registrationId } = answer.body as { registrationId: string };
      // A decoy behaves as a real one does with wrong codes: five tries, then no more.
      for (let attempt = 0; attempt < 5; attempt += 1) {
        expect((await verify(service, registrationId, '000000')).body.code).toBe('invalid_code');
      }
      expect((await verify(service, registrationId, '000000')).body.code).toBe('too_many_attempts');
      expect((await service.http.get(`/v1/auth/register/${registrationId}`)).body.status).toBe('verification_pending');
    }
    const { rows } = await service.database.query(
      'SELECT count(*)::int AS count FROM users WHERE email_index IN (SELECT email_index FROM users) AND phone_index IS NOT NULL',
    );
    expect(rows[0]).toEqual({ count: 2 });
  });

  it('is completed only by its own code, once', async () => {
    const [first, second] = [newPerson(), newPerson()];
    const firstId = (await register(service, first)).body.registrationId as string;
    await register(service, second);
    const [firstCode, secondCode] = [await mailedCode(service, first.email), await mailedCode(service, second.email)];

    const foreign = firstCode === secondCode ? wrongCode(firstCode) : secondCode;
    expect(await verify(service, firstId, foreign)).toMatchObject({ status: 422, body: { code: 'invalid_code' } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => verify(service, firstId, firstCode)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
      expect({ status, code: body.code as string }).toEqual({ status: 409, code: 'registration_completed' });
    }
    expect(await verify(service, firstId, firstCode)).toMatchObject({
      status: 409,
      body: { code: 'registration_completed' },
    });
  });

  it('bears five wrong codes; the right one is too late then', async () => {
    const person = newPerson();
    const id = (await register(service, person)).body.registrationId as string;
    const code = await mailedCode(service, person.email);
    const answers = await Promise.all(Array.from({ length: 12 }, () => verify(service, id, wrongCode(code))));
    expect(answers.filter(({ body }) => body.code === 'invalid_code')).toHaveLength(5);
    expect(answers.filter(({ body }) => body.code === 'too_many_attempts')).toHaveLength(7);
    expect(await verify(service, id, code)).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
  });

  it('sends a new code after a minute, five times at most, and the older one stops working', async () => {
    const person = newPerson();
    const id = (await register(service, person)).body.registrationId as string;
    const codes = [await mailedCode(service, person.email)];
    const resend = () => service.http.post(`/v1/auth/register/${id}/resend`);
    const tooSoon = await resend();
    expect(tooSoon).toMatchObject({ status: 429, body: { code: 'resend_too_soon' } });
    expect(Number(tooSoon.headers.get('retry-after'))).toBeGreaterThan(50);

    for (let count = 2; count <= 6; count += 1) {
      // A minute passes.
      await service.database.query(
        `UPDATE registrations SET last_issued_at = last_issued_at - interval '61 seconds' WHERE id = $1`,
        [id],
      );
      const answers = await Promise.all([resend(), resend(), resend()]);
      expect(answers.map(({ status }) => status).sort()).toEqual([202, 429, 429]);
      codes.push(await mailedCode(service, person.email, count));
    }
    await service.database.query(
      `UPDATE registrations SET last_issued_at = last_issued_at - interval '61 seconds' WHERE id = $1`,
      [id],
    );
    expect(await resend()).toMatchObject({ status: 429, body: { code: 'resend_limit_reached' } });

    const last = codes.at(-1) ?? '';
    const older = codes.find((code) => code !== last) ?? '';
    expect((await verify(service, id, older)).body.code).toBe('invalid_code');
    expect((await verify(service, id, last)).status).toBe(201);
  });

  it('cannot be taken over by whoever registered the address before its owner (pre-hijacking)', async () => {
    const owner = newPerson();
    const attacker = { ...owner, password: 'a password that the attacker knows' };
    const attackersId = (await register(service, attacker)).body.registrationId as string;
    await mailedCode(service, owner.email);
    const ownersId = (await register(service, owner)).body.registrationId as string;
    expect(ownersId).not.toBe(attackersId);
    const code = await mailedCode(service, owner.email, 2);
    expect((await verify(service, ownersId, code)).status).toBe(201);
    expect((await logIn(service, owner)).status).toBe(200);
    expect((await logIn(service, attacker)).body.code).toBe('invalid_credentials');
  });

  it('cannot be used to flood an address with mail', async () => {
    const victim = newPerson();
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        register(service, { ...victim, password: `another long password ${String(index)}` }),
      ),
    );
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    await eventually('all of them stored', async () => {
      const { rows } = await service.database.query(
        `SELECT count(*)::int AS count FROM registrations WHERE id = ANY($1)`,
        [answers.map(({ body }) => body.registrationId as string)],
      );
      return (rows[0] as { count: number }).count === 9;
    });
    await service.mailbox.waitFor(victim.email, /./, 5);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await service.mailbox.to(victim.email)).toHaveLength(5);
  });

  it('that nobody made is not found', async () => {
    for (const id of [
      '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11',
      '00000000-0000-4000-8000-000000000000',
      'ffffffff-ffff-7fff-bfff-ffffffffffff',
    ]) {
      expect(await service.http.get(`/v1/auth/register/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'registration_not_found' },
      });
      expect(await verify(service, id, '123456')).toMatchObject({
        status: 404,
        body: { code: 'registration_not_found' },
      });
    }
  });
});
