import { describe, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually';
import {
  appCode,
  enroll,
  letStepsPass,
  listFactors,
  logInFully,
  MFA_ENABLED_SUBJECT,
  protectedPerson,
  stepUp,
  turnOn,
} from '../support/mfa';
import { logIn, mailedCode, newPerson, register, signUp, verify, WELCOME_SUBJECT } from '../support/people';
import { useTestService } from '../support/service';

describe('when a part is away', () => {
  const service = useTestService();

  const countRegistrations = async (): Promise<number> => {
    const { rows } = await service.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM registrations',
    );
    return rows[0]?.count ?? 0;
  };

  it('registrations go on without a worker, and finish once one runs', async () => {
    await service.processes.worker.stop();
    const people = Array.from({ length: 5 }, () => newPerson());
    const accepted = await Promise.all(people.map((person) => register(service, person)));
    for (const { status } of accepted) expect(status).toBe(202);
    const registrationId = accepted[0]?.body.registrationId as string;

    // Visibility follows within a second.
    const pending = await eventually('the state of a registration that no worker has seen', async () => {
      const answer = await service.http.get(`/v1/auth/register/${registrationId}`);
      return answer.status === 200 && answer;
    });
    expect(pending.body).toEqual(accepted[0]?.body);
    expect(await verify(service, registrationId, '123456')).toMatchObject({
      status: 422,
      body: { code: 'invalid_code' },
    });
    expect(await service.http.post(`/v1/auth/register/${registrationId}/resend`)).toMatchObject({ status: 429 });

    await service.processes.worker.start();
    for (const [index, person] of people.entries()) {
      const code = await mailedCode(service, person.email);
      expect((await verify(service, accepted[index]?.body.registrationId as string, code)).status).toBe(201);
    }
  });

  it('registrations and enrolments are refused with 503 and create nothing without Temporal, while logins go on', async () => {
    const customer = newPerson();
    const { body: member } = await signUp(service, customer);
    const owner = await protectedPerson(service);
    const before = await countRegistrations();
    await service.stack.temporal?.kill();
    const refused = await register(service, newPerson());
    expect(refused).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await logIn(service, customer)).status).toBe(200);
    expect(await countRegistrations()).toBe(before);
    // A second factor can be shown, and not be set up.
    expect((await logInFully(service, owner)).status).toBe(200);
    await letStepsPass(service, owner.userId);
    expect((await stepUp(service, owner.token, appCode(owner.secret))).status).toBe(200);
    const enrollment = await enroll(service, member.accessToken as string);
    expect(enrollment).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
    expect(Number(enrollment.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await listFactors(service, member.accessToken as string)).body.factors).toEqual([]);

    await service.stack.temporal?.start();
    const later = newPerson();
    await eventually(
      'registrations after the return of Temporal',
      async () => (await register(service, later)).status === 202,
      30_000,
    );
    await mailedCode(service, later.email);
    expect(await countRegistrations()).toBe(before + 1);
  });

  it('registrations wait for the mail server and finish when it is back', async () => {
    await service.stack.mail?.stop();
    const person = newPerson();
    const accepted = await register(service, person);
    expect(accepted.status).toBe(202);
    await eventually(
      'the stored registration',
      async () => (await service.http.get('/readyz')).body.checks.mail.status === 'down',
    );
    await service.stack.mail?.start();
    const code = await mailedCode(service, person.email);
    expect((await verify(service, accepted.body.registrationId as string, code)).status).toBe(201);
  });

  it('accounts open and second factors are set up without Redis, and the mails follow when it is back', async () => {
    const person = newPerson();
    const accepted = await register(service, person);
    const code = await mailedCode(service, person.email);
    await service.stack.valkey?.kill();
    expect((await verify(service, accepted.body.registrationId as string, code)).status).toBe(201);
    const { status, body } = await logIn(service, person);
    expect(status).toBe(200);
    expect((await turnOn(service, body.accessToken as string)).recoveryCodes).toHaveLength(10);
    expect(await service.mailbox.to(person.email, WELCOME_SUBJECT)).toHaveLength(0);
    await service.stack.valkey?.start();
    await service.mailbox.waitFor(person.email, MFA_ENABLED_SUBJECT, 1, 45_000);
    expect(await service.mailbox.waitFor(person.email, WELCOME_SUBJECT, 1, 45_000)).toHaveLength(1);
  });

  it('nothing answers 500 without Postgres, and everything works when it is back', async () => {
    const customer = newPerson();
    await signUp(service, customer);
    await service.stack.postgres?.kill();
    const answer = await logIn(service, customer);
    expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
    // Accepting a registration needs no database.
    const person = newPerson();
    const accepted = await register(service, person);
    expect(accepted.status).toBe(202);
    await service.stack.postgres?.start();
    await eventually(
      'logins after the return of Postgres',
      async () => (await logIn(service, customer)).status === 200,
    );
    const code = await mailedCode(service, person.email);
    expect((await verify(service, accepted.body.registrationId as string, code)).status).toBe(201);
  });
});
