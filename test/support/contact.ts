import { eventually } from './eventually';
import type { Answer } from './http-client';
import { codeIn, type CaughtMail } from './mailbox';
import { newPerson, newPhone, type Person, signUp } from './people';
import type { TestService } from './service';

export const EMAIL_CODE_SUBJECT = /Confirm your new e-mail address/;
export const EMAIL_TAKEN_SUBJECT = /stays with your Meqenet account/;
export const EMAIL_REQUESTED_SUBJECT = /asked to change the e-mail address/;
export const EMAIL_CHANGED_SUBJECT = /e-mail address of your Meqenet account was changed/;
export const PHONE_CHANGED_SUBJECT = /phone number of your Meqenet account was changed/;
export const PHONE_RELEASED_SUBJECT = /phone number was removed/;

export interface Member {
  readonly person: Person;
  readonly userId: string;
  readonly token: string;
  readonly sessionId: string;
}

/** Somebody with an account and a fresh login. */
export const join = async (service: TestService, more: Partial<Person> = {}): Promise<Member> => {
  const person = newPerson(more);
  const { body } = await signUp(service, person);
  const {
    accessToken: token,
    sessionId,
    user,
  } = body as { accessToken: string; sessionId: string; user: { id: string } };
  return { person, userId: user.id, token, sessionId };
};

export const me = ({ http }: TestService, token: string): Promise<Answer> => http.get('/v1/users/me', { token });

type Headers = Readonly<Record<string, string>>;

export const askPhone = ({ http }: TestService, token: string, phone: string, headers: Headers = {}): Promise<Answer> =>
  http.post('/v1/users/me/phone', { phone }, { token, headers });
export const confirmPhone = ({ http }: TestService, token: string, code: string, headers: Headers = {}) =>
  http.post('/v1/users/me/phone/confirm', { code }, { token, headers });
export const askEmail = (
  { http }: TestService,
  { token, person }: Pick<Member, 'token' | 'person'>,
  email: string,
  headers: Headers = {},
): Promise<Answer> => http.post('/v1/users/me/email', { email, currentPassword: person.password }, { token, headers });
export const confirmEmail = ({ http }: TestService, token: string, code: string, headers: Headers = {}) =>
  http.post('/v1/users/me/email/confirm', { code }, { token, headers });

/** Where the development provider mails the SMS to a number. */
export const smsAddress = (phone: string): string => `${phone.slice(1)}@sms.invalid`;
/** The SMS to a number, oldest first; waits for the `count`-th. */
export const smsTo = ({ mailbox }: TestService, phone: string, count = 1, timeoutMs?: number): Promise<CaughtMail[]> =>
  mailbox.waitFor(smsAddress(phone), /SMS/, count, timeoutMs);
export const smsNow = ({ mailbox }: TestService, phone: string): Promise<CaughtMail[]> => mailbox.to(smsAddress(phone));
/** The `count`-th code that came by SMS to a number; words without a code come whenever they come. */
export const smsCode = (service: TestService, phone: string, count = 1, timeoutMs?: number): Promise<string> =>
  eventually(
    `code ${String(count)} by SMS`,
    async () => (await smsNow(service, phone)).flatMap(({ text }) => /\b\d{6}\b/.exec(text)?.[0] ?? [])[count - 1],
    timeoutMs,
  );
export const emailCode = async ({ mailbox }: TestService, email: string, count = 1): Promise<string> =>
  codeIn((await mailbox.waitFor(email, EMAIL_CODE_SUBJECT, count))[count - 1]);

/** As if every code so far had been asked for so much earlier. */
export const letTimePass = ({ database }: TestService, userId: string, interval = '61 seconds') =>
  database.query('UPDATE contact_changes SET created_at = created_at - $2::interval WHERE user_id = $1', [
    userId,
    interval,
  ]);
/** As if the phone had been changed so much earlier. */
export const letHoldPass = ({ database }: TestService, userId: string, interval: string) =>
  database.query('UPDATE users SET phone_changed_at = phone_changed_at - $2::interval WHERE id = $1', [
    userId,
    interval,
  ]);

/** Gives an account a proven phone and takes its holds away. @returns the phone */
export const provePhone = async (service: TestService, { token, userId }: Member): Promise<string> => {
  const phone = newPhone();
  await askPhone(service, token, phone);
  const answer = await confirmPhone(service, token, await smsCode(service, phone));
  if (answer.status !== 200) throw new Error(`The phone was not proven: ${String(answer.status)}`);
  await smsTo(service, phone, 2);
  await letHoldPass(service, userId, '73 hours');
  await letTimePass(service, userId, '25 hours');
  return phone;
};
