import type { Answer } from './http-client';
import type { CaughtMail } from './mailbox';
import type { TestService } from './service';

export const RESET_SUBJECT = /Reset your Meqenet password/;
export const PASSWORD_CHANGED_SUBJECT = /password was changed/;

export const forgot = ({ http }: TestService, email: string): Promise<Answer> =>
  http.post('/v1/auth/password/forgot', { email });

export const resetPassword = ({ http }: TestService, token: string, newPassword: string): Promise<Answer> =>
  http.post('/v1/auth/password/reset', { token, newPassword });

export const changePassword = (
  { http }: TestService,
  token: string,
  currentPassword: string,
  newPassword: string,
): Promise<Answer> => http.post('/v1/auth/password/change', { currentPassword, newPassword }, { token });

/** The token in the link of a reset mail. */
export const tokenIn = (mail: CaughtMail | undefined): string => {
  const [, token] = /#token=([A-Za-z0-9_-]{43})$/m.exec(mail?.text ?? '') ?? [];
  if (!token) throw new Error('The mail has no token');
  return token;
};

/** The token of the newest reset mail to this address; waits for the `count`-th. */
export const mailedToken = async ({ mailbox }: TestService, email: string, count = 1, timeoutMs?: number) =>
  tokenIn((await mailbox.waitFor(email, RESET_SUBJECT, count, timeoutMs)).at(-1));
