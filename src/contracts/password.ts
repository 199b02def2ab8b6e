import { z } from 'zod';

import { emailSchema, newPasswordSchema, passwordAttemptSchema } from './identity';
import { secretText } from './text';

/** 256 bits in base64url. Any other text is a token that does not work, so the answer is the same. */
export const resetTokenSchema = secretText(1, 128).meta({
  description: 'The token of the mailed link',
  example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE',
});

export const forgotPasswordRequest = z.strictObject({ email: emailSchema });
export const resetPasswordRequest = z.strictObject({ token: resetTokenSchema, newPassword: newPasswordSchema });
export type ResetPasswordRequest = z.output<typeof resetPasswordRequest>;
export const changePasswordRequest = z.strictObject({
  currentPassword: passwordAttemptSchema,
  newPassword: newPasswordSchema,
});
export type ChangePasswordRequest = z.output<typeof changePasswordRequest>;

/** With `PASSWORD_POLICY=nist-single-factor`, where no second factor is on (NIST SP 800-63B-4, section 3.1.1.2). */
export const MIN_SINGLE_FACTOR_LENGTH = 15;

/** Mails that one account is sent within the window; further requests are accepted and stay silent (mail flooding). */
export const MAX_RESET_MAILS = 5;
export const RESET_MAILS_WINDOW_MS = 3_600_000;
