import { randomInt, randomUUID } from 'node:crypto';

import { eventually } from './eventually';
import type { Answer } from './http-client';
import { codeIn } from './mailbox';
import type { TestService } from './service';

export interface Person {
  readonly email: string;
  readonly password: string;
  readonly phone?: string;
  readonly faydaId?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly locale?: 'en' | 'am';
}

export const VERIFICATION_SUBJECT = /Confirm your e-mail address/;
export const ALREADY_REGISTERED_SUBJECT = /already have/;
export const DETAILS_TAKEN_SUBJECT = /could not be completed/;
export const WELCOME_SUBJECT = /Welcome/;

/** Somebody new. */
export const newPerson = (more: Partial<Person> = {}): Person => ({
  email: `person-${randomUUID()}@example.et`,
  password: `a long enough secret ${randomUUID()}`,
  ...more,
});

const digits = (count: number): string => Array.from({ length: count }, () => String(randomInt(10))).join('');
export const newPhone = (): string => `+2519${digits(8)}`;
export const newFaydaId = (): string => digits(12);

export const register = ({ http }: TestService, person: Person): Promise<Answer> =>
  http.post('/v1/auth/register', person);

export const verify = ({ http }: TestService, registrationId: string, code: string): Promise<Answer> =>
  http.post(`/v1/auth/register/${registrationId}/verify`, { code });

/** The code in the newest verification mail to this address; waits for the `count`-th. */
export const mailedCode = async ({ mailbox }: TestService, email: string, count = 1): Promise<string> =>
  codeIn((await mailbox.waitFor(email, VERIFICATION_SUBJECT, count)).at(-1));

/** A code that is not this one. */
export const wrongCode = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** Registers somebody and proves the address. @returns the answer of `verify`: tokens and user */
export const signUp = async (service: TestService, person: Person): Promise<Answer> => {
  const { body } = await register(service, person);
  return verify(service, body.registrationId as string, await mailedCode(service, person.email));
};

/** Waits until somebody new has been welcomed, and that is noted: a mail arrives before its sending is. */
export const welcomed = async ({ mailbox, database }: TestService, { email }: Pick<Person, 'email'>): Promise<void> => {
  await mailbox.waitFor(email, WELCOME_SUBJECT);
  await eventually('the mails to be noted as sent', async () => {
    const { rowCount } = await database.query('SELECT 1 FROM mail_deliveries WHERE sent_at IS NULL');
    return rowCount === 0;
  });
};

export const logIn = ({ http }: TestService, { email, password }: Person): Promise<Answer> =>
  http.post('/v1/auth/login', { email, password });
