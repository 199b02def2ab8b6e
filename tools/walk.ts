import { randomUUID } from 'node:crypto';

import { apiCall } from './walk/api-call';
import { mailTo } from './walk/mailbox';

export interface WalkOptions {
  readonly apiUrl: string;
  /** Of the mail catcher; `MAIL_UI_URL` where the mail server is not ours. */
  readonly mailUrl: string;
  /** Told after each step. */
  readonly onStep: (what: string, milliseconds: number) => void;
}

/**
 * Goes the way of one person through the public API: registers, takes the code out of the mail, verifies, logs in.
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
};
