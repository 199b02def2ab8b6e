import { randomUUID } from 'node:crypto';

import { URI } from 'otpauth';

import { apiCall } from './walk/api-call';
import { mailTo } from './walk/mailbox';

/** A code of an authenticator app is shown for half a minute (RFC 6238). */
const CODE_LIFE_MS = 30_000;

export interface WalkOptions {
  readonly apiUrl: string;
  /** Of the mail catcher; `MAIL_UI_URL` where the mail server is not ours. */
  readonly mailUrl: string;
  /** Told after each step. */
  readonly onStep: (what: string, milliseconds: number) => void;
}

/**
 * Goes the way of one person through the public API: registers, takes the code out of the mail, verifies, logs in,
 * sets an authenticator app up and logs in with it.
 *
 * @throws naming the step, what it expected and what came
 */
export const walk = async ({ apiUrl, mailUrl, onStep }: WalkOptions): Promise<void> => {
  const email = `walk-${randomUUID()}@example.et`;
  const password = `${randomUUID()} ${randomUUID()}`;
  const call = apiCall(apiUrl);
  const step = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    const begin = Date.now();
    try {
      const result = await act();
      onStep(what, Date.now() - begin);
      return result;
    } catch (error) {
      throw new Error(`Step "${what}" failed: ${(error as Error).message}`, { cause: error });
    }
  };

  const registrationId = await step('register', async () => {
    const body = { email, password, firstName: 'Abebe', lastName: 'Bikila', locale: 'en' };
    const { text } = await call('POST', '/v1/auth/register', 202, { body });
    return text('registrationId');
  });
  const code = await step('mail with the code', () =>
    mailTo(mailUrl, email, 'a mail with six digits', (mail) => /\b\d{6}\b/.exec(mail.text)?.[0]),
  );
  await step('verify', async () => {
    const { text } = await call('POST', `/v1/auth/register/${registrationId}/verify`, 201, { body: { code } });
    text('accessToken');
    text('refreshToken');
  });
  await step('welcome mail', () =>
    mailTo(
      mailUrl,
      email,
      'a mail with "Welcome" in its subject',
      (mail) => mail.subject.includes('Welcome') || undefined,
    ),
  );
  const accessToken = await step('log in', async () => {
    const { text } = await call('POST', '/v1/auth/login', 200, { body: { email, password } });
    return text('accessToken');
  });
  await step('read the profile', async () => {
    const { text } = await call('GET', '/v1/users/me', 200, { accessToken });
    if (text('email') !== email) throw new Error('expected the profile of the person who logged in, got another');
  });

  const app = await step('set an authenticator app up', async () => {
    const { text } = await call('POST', '/v1/auth/mfa/enrollments', 201, { body: { factor: 'totp' }, accessToken });
    return { enrollmentId: text('enrollmentId'), totp: URI.parse(text('otpauthUri')) };
  });
  await step('confirm it with a code', async () => {
    const path = `/v1/auth/mfa/enrollments/${app.enrollmentId}/confirm`;
    const { text } = await call('POST', path, 200, { body: { code: app.totp.generate() }, accessToken });
    text('factorId');
  });
  await step('log in with the app', async () => {
    const login = await call('POST', '/v1/auth/login', 200, { body: { email, password } });
    // That of the next half minute, as of a telephone that is ahead: the one of this half minute is used.
    const code = app.totp.generate({ timestamp: Date.now() + CODE_LIFE_MS });
    const body = { mfaToken: login.text('mfaToken'), factor: 'totp', code };
    (await call('POST', '/v1/auth/login/mfa', 200, { body })).text('accessToken');
  });
};
