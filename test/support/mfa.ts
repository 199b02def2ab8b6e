import { generateSync } from 'otplib';

import { smsCode } from './contact';
import type { Answer } from './http-client';
import { codeIn } from './mailbox';
import { logIn, newPerson, type Person, signUp } from './people';
import type { TestService } from './service';

export const MFA_ENABLED_SUBJECT = /Two-step login is on/;
export const MFA_DISABLED_SUBJECT = /second step was removed/;
export const RECOVERY_CODE_USED_SUBJECT = /recovery code of your Meqenet account was used/;
export const FACTOR_CODE_SUBJECT = /Your Meqenet security code/;
export const TOTP_STEP_MS = 30_000;

type Headers = Readonly<Record<string, string>>;

/** The code that an authenticator app shows `offset` steps from now, by an implementation that is not the service's. */
export const appCode = (secret: string, offset = 0): string =>
  generateSync({ secret, epoch: Math.floor((Date.now() + offset * TOTP_STEP_MS) / 1_000) });

/** A code of an hour ago. */
export const staleCode = (secret: string): string => appCode(secret, -120);

export const enroll = ({ http }: TestService, token: string, body: object = {}, headers: Headers = {}) =>
  http.post('/v1/auth/mfa/enrollments', { factor: 'totp', ...body }, { token, headers });
export const confirm = ({ http }: TestService, token: string, id: string, code: string, headers: Headers = {}) =>
  http.post(`/v1/auth/mfa/enrollments/${id}/confirm`, { code }, { token, headers });
export const cancel = ({ http }: TestService, token: string, id: string): Promise<Answer> =>
  http.send('DELETE', `/v1/auth/mfa/enrollments/${id}`, { token });
export const listFactors = ({ http }: TestService, token: string): Promise<Answer> =>
  http.get('/v1/auth/mfa/factors', { token });
export const completeLogin = (
  { http }: TestService,
  mfaToken: string,
  code: string,
  factor = 'totp',
  headers: Headers = {},
): Promise<Answer> => http.post('/v1/auth/login/mfa', { mfaToken, factor, code }, { headers });
export const stepUp = ({ http }: TestService, token: string, code: string, factor = 'totp'): Promise<Answer> =>
  http.post('/v1/auth/step-up', { factor, code }, { token });

/** The code of this minute may be shown again: as if minutes had passed since it was. */
export const letStepsPass = ({ database }: TestService, userId: string) =>
  database.query('UPDATE factors SET last_time_step = last_time_step - 100 WHERE user_id = $1', [userId]);

export interface Protected {
  readonly person: Person;
  readonly userId: string;
  /** Of a session that was opened before there was a second factor. */
  readonly token: string;
  readonly sessionId: string;
  readonly secret: string;
  readonly factorId: string;
  readonly recoveryCodes: readonly string[];
}

/** Puts an authenticator app in force for whoever has this token. */
export const turnOn = async (service: TestService, token: string) => {
  const { body: enrollment } = await enroll(service, token);
  const { enrollmentId, secret } = enrollment as { enrollmentId: string; secret: string };
  const { body } = await confirm(service, token, enrollmentId, appCode(secret));
  return { secret, ...(body as { factorId: string; recoveryCodes: string[] }) };
};

/** Somebody with a second factor, whose codes of now have not been used. */
export const protectedPerson = async (service: TestService): Promise<Protected> => {
  const person = newPerson();
  const { body: account } = await signUp(service, person);
  const token = account.accessToken as string;
  const factor = await turnOn(service, token);
  const userId = account.user.id as string;
  await letStepsPass(service, userId);
  return { person, userId, token, sessionId: account.sessionId as string, ...factor };
};

/** Logs in with both factors. */
export const logInFully = async (
  service: TestService,
  { person, userId, secret }: Pick<Protected, 'person' | 'userId' | 'secret'>,
): Promise<Answer> => {
  await letStepsPass(service, userId);
  const { body } = await logIn(service, person);
  return completeLogin(service, body.mfaToken as string, appCode(secret));
};

export const askLoginCode = (
  { http }: TestService,
  mfaToken: string,
  factor: string,
  headers: Headers = {},
): Promise<Answer> => http.post('/v1/auth/login/mfa/challenge', { mfaToken, factor }, { headers });
export const askStepUpCode = ({ http }: TestService, token: string, factor: string): Promise<Answer> =>
  http.post('/v1/auth/step-up/challenge', { factor }, { token });

/** The code in the `count`-th mail of a second factor. */
export const mailedFactorCode = async ({ mailbox }: TestService, email: string, count = 1): Promise<string> =>
  codeIn((await mailbox.waitFor(email, FACTOR_CODE_SUBJECT, count))[count - 1]);

/** As if every code of a second factor so far had been sent so much earlier; they work on. */
export const letCodesAge = ({ database }: TestService, userId: string, interval = '61 seconds') =>
  database.query('UPDATE factor_codes SET created_at = created_at - $2::interval WHERE user_id = $1', [
    userId,
    interval,
  ]);

export interface Coded {
  readonly person: Person;
  readonly userId: string;
  readonly token: string;
  readonly sessionId: string;
  readonly recoveryCodes: readonly string[];
}

/** Puts codes by mail, or by SMS to `phone`, in force for somebody; no limit counts it. */
export const enrollSent = async (
  service: TestService,
  { person, token, userId }: Pick<Coded, 'person' | 'token' | 'userId'>,
  phone?: string,
): Promise<Answer> => {
  const { body } = await enroll(service, token, { factor: phone === undefined ? 'email_otp' : 'sms_otp' });
  const code = phone === undefined ? await mailedFactorCode(service, person.email) : await smsCode(service, phone, 2);
  const answer = await confirm(service, token, body.enrollmentId as string, code);
  if (answer.status !== 200) throw new Error(`The factor was not enrolled: ${String(answer.status)}`);
  await letCodesAge(service, userId, '25 hours');
  return answer;
};
