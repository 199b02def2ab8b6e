import { describe, expect, it } from '@jest/globals';

import { inParallel } from '../support/concurrency';
import { eventually } from '../support/eventually';
import { codeIn } from '../support/mailbox';
import { newPerson, register, VERIFICATION_SUBJECT, verify, WELCOME_SUBJECT } from '../support/people';
import { inProof } from '../support/proofs';
import { storedJobs } from '../support/queue';
import { useTestService } from '../support/service';

const PEOPLE = inProof(200, 60);
const CALLERS = 16;

describe(`${String(PEOPLE)} registrations by ${String(CALLERS)} callers`, () => {
  const service = useTestService();

  /** One reader for everybody: the catcher's API only gives all mails at once. */
  const readCodes = async (): Promise<Map<string, string>> => {
    const mails = (await service.mailbox.all()).filter(({ subject }) => VERIFICATION_SUBJECT.test(subject));
    return new Map(mails.map((mail) => [mail.to[0]?.address ?? '', codeIn(mail)]));
  };

  it('end in as many active accounts, jobs and welcome mails, none double (kratos#732, kratos#1598, keycloak#36409)', async () => {
    const people = Array.from({ length: PEOPLE }, () => newPerson());
    const accepted = await inParallel(people, CALLERS, (person) => register(service, person));
    expect(accepted.filter(({ status }) => status === 202)).toHaveLength(PEOPLE);

    const codes = await eventually('all codes', async () => {
      const found = await readCodes();
      return found.size === PEOPLE && found;
    });
    const pairs = people.map((person, index) => ({
      registrationId: accepted[index]?.body.registrationId as string,
      code: codes.get(person.email) ?? '',
    }));
    const verified = await inParallel(pairs, CALLERS, ({ registrationId, code }) =>
      verify(service, registrationId, code),
    );
    expect(verified.filter(({ status }) => status === 201)).toHaveLength(PEOPLE);

    const welcomed = await eventually('all welcome mails', async () => {
      const mails = (await service.mailbox.all()).filter(({ subject }) => WELCOME_SUBJECT.test(subject));
      return mails.length >= PEOPLE && mails;
    });
    expect(welcomed.map(({ to }) => to[0]?.address).sort()).toEqual(people.map(({ email }) => email).sort());
    const jobs = await storedJobs(service);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(PEOPLE);
    expect(jobs).toHaveLength(PEOPLE);
    const { rows } = await service.database.query(`SELECT count(*)::int AS count FROM users WHERE status = 'ACTIVE'`);
    expect(rows).toEqual([{ count: PEOPLE }]);
  });

  it('of one address at once are one registration with one answer, and one account', async () => {
    const person = newPerson();
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(service, person)));
    const [first] = answers;
    for (const { status, body } of answers)
      expect({ status, body: body as unknown }).toEqual({ status: 202, body: first?.body });
    const [mail] = await service.mailbox.waitFor(person.email, VERIFICATION_SUBJECT);
    const verified = await verify(service, first?.body.registrationId as string, codeIn(mail));
    expect(verified.status).toBe(201);
    await service.mailbox.waitFor(person.email, WELCOME_SUBJECT);
    expect(await service.mailbox.to(person.email)).toHaveLength(2);
    const { rows } = await service.database.query('SELECT count(*)::int AS count FROM users');
    expect(rows).toEqual([{ count: PEOPLE + 1 }]);
  });
});
