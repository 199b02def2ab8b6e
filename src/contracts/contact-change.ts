import { z } from 'zod';

import { emailSchema, instantSchema, passwordAttemptSchema, phoneSchema } from './identity';
import { verifyRequest } from './registration';

export const changePhoneRequest = z.strictObject({
  phone: phoneSchema,
  currentPassword: passwordAttemptSchema
    .optional()
    .meta({ description: 'Instead of a fresh login', example: 'correct horse battery staple' }),
});
export type ChangePhoneRequest = z.output<typeof changePhoneRequest>;

export const changeEmailRequest = z.strictObject({ email: emailSchema, currentPassword: passwordAttemptSchema });
export type ChangeEmailRequest = z.output<typeof changeEmailRequest>;

/** The 6 digits that were sent. */
export const confirmContactRequest = z.strictObject({ code: verifyRequest.shape.code });

export const contactChangeAccepted = z.object({
  status: z.literal('verification_pending'),
  expiresAt: instantSchema.meta({ description: 'The code works until then' }),
});

/** All of these count codes, sent or muted. */
export const CONTACT_LIMITS = {
  windowMs: 24 * 3_600_000,
  /** Of one account and channel, in the window. */
  perAccount: 5,
  /** To one number or address from all accounts; past it nothing more is sent there, and nobody is told (SMS pumping, mail flooding). */
  perContactHour: 5,
  perContactDay: 10,
  hourMs: 3_600_000,
} as const;
