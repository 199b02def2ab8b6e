import { z } from 'zod';

import {
  consentSchema,
  emailSchema,
  faydaIdSchema,
  instantSchema,
  localeSchema,
  nameSchema,
  newPasswordSchema,
  phoneSchema,
  uuidSchema,
} from './identity';

export const registerRequest = z.strictObject({
  email: emailSchema,
  password: newPasswordSchema,
  phone: phoneSchema.optional(),
  faydaId: faydaIdSchema.optional(),
  firstName: nameSchema.optional(),
  lastName: nameSchema.optional(),
  locale: localeSchema.optional(),
  consents: z.array(consentSchema).max(20).optional(),
});
export type RegisterRequest = z.output<typeof registerRequest>;

export const registrationAccepted = z.object({
  registrationId: uuidSchema,
  status: z.literal('verification_pending'),
  expiresAt: instantSchema,
});

export const registrationState = z.object({
  registrationId: uuidSchema,
  status: z.enum(['verification_pending', 'completed', 'expired']),
  expiresAt: instantSchema,
});
export type RegistrationState = z.output<typeof registrationState>;

export const registrationParams = z.strictObject({
  registrationId: uuidSchema.meta({ description: 'Of the answer to the registration' }),
});

export const VERIFICATION_CODE_DIGITS = 6;
export const verifyRequest = z.strictObject({
  code: z
    .string()
    .regex(/^\d{6}$/, 'must be the 6 digits of the mail')
    .meta({ description: 'The code that was mailed', example: '402917' }),
});

/** Wrong codes that one issued code bears. */
export const MAX_CODE_ATTEMPTS = 5;
/** Codes that may be asked for besides the first. */
export const MAX_RESENDS = 5;
export const RESEND_INTERVAL_MS = 60_000;
/** Registrations of one address within the window that are sent mail; further ones are accepted and stay silent (mail flooding). */
export const MAX_MAILED_REGISTRATIONS = 5;
/** Short, so that a stranger who uses it up does not keep the owner of the address out for long. */
export const MAILED_WINDOW_MS = 3_600_000;
