import { z } from 'zod';

import { instantSchema, uuidSchema } from './identity';
import { tokensResponse } from './session';
import { cleanText, NOT_BLANK } from './text';

/** Second factors that an account can have, as paths and workflow ids name them. */
export const FACTOR_KINDS = ['totp', 'email_otp', 'sms_otp', 'passkey'] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

/** Those that are enrolled with a code. */
export const ENROLLABLE_FACTORS = ['totp', 'email_otp', 'sms_otp'] as const satisfies readonly FactorKind[];
export type EnrollableFactor = (typeof ENROLLABLE_FACTORS)[number];

/** What a second factor can be proven with: a factor in force, or a recovery code in its stead. */
export const PROVABLE_FACTORS = ['totp', 'email_otp', 'sms_otp', 'recovery_code'] as const;
export type ProvableFactor = (typeof PROVABLE_FACTORS)[number];

/** What a login can be completed with: a code, or a passkey (at `/v1/auth/passkeys/login`). */
export const SHOWABLE_FACTORS = ['passkey', ...PROVABLE_FACTORS] as const;
export type ShowableFactor = (typeof SHOWABLE_FACTORS)[number];

/** Those whose code is sent when it is asked for. */
export const SENT_FACTORS = ['email_otp', 'sms_otp'] as const satisfies readonly FactorKind[];
export const isSentFactor = (factor: string): factor is (typeof SENT_FACTORS)[number] =>
  SENT_FACTORS.some((each) => each === factor);

/** Wrong codes that one enrolment bears, and one login after the right password. */
export const MAX_FACTOR_ATTEMPTS = 5;
/** A code that was sent works for so long, milliseconds. */
export const FACTOR_CODE_MS = 600_000;
/** Of one account and kind; `perContactHour` to one address or phone from all accounts (ASVS 6.6.3; SMS pumping, mail flooding). */
export const FACTOR_CODE_LIMITS = {
  intervalMs: 60_000,
  perHour: 5,
  perDay: 20,
  perContactHour: 5,
  hourMs: 3_600_000,
  dayMs: 24 * 3_600_000,
} as const;
/** After the right password the second factor may be shown for so long, milliseconds. */
export const LOGIN_CHALLENGE_MS = 600_000;
/** An act that takes a protection away needs a second factor shown within this time, milliseconds. */
export const STEP_UP_MAX_AGE_MS = 600_000;

const sixDigitsSchema = z
  .string()
  .regex(/^\d{6}$/, 'must be the 6 digits of the code')
  .meta({ description: 'Code of the authenticator app, or the one that was sent', example: '402917' });

/** What a factor is proven with; spelling and separators of recovery codes are as people type them. */
const factorCodeSchema = z
  .string()
  .regex(/^[0-9A-Za-z -]{6,32}$/, 'must be a code')
  .meta({
    description: 'Six digits of the authenticator app or of the message, or a recovery code',
    example: '402917',
  });

export const enrollmentRequest = z.strictObject({
  factor: z.enum(ENROLLABLE_FACTORS),
  label: cleanText(64)
    .meta({ pattern: NOT_BLANK })
    .transform((value) => value.trim().normalize('NFC'))
    .pipe(z.string().min(1))
    .meta({ description: 'What its owner calls it', example: 'My phone' })
    .optional(),
});
export type EnrollmentRequest = z.output<typeof enrollmentRequest>;

export const enrollmentResponse = z.object({
  enrollmentId: uuidSchema,
  factor: z.enum(ENROLLABLE_FACTORS),
  secret: z
    .string()
    .meta({
      description: 'Of `totp`: base32, 160 bits, to be typed where the picture cannot be read',
      example: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    })
    .optional(),
  otpauthUri: z
    .string()
    .meta({
      description: 'Of `totp`: key URI of the authenticator app',
      example: 'otpauth://totp/Meqenet:abebe%40example.et?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Meqenet',
    })
    .optional(),
  qrCode: z
    .string()
    .meta({
      description: 'Of `totp`: the key URI as a picture, data URI of an SVG',
      example: 'data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=',
    })
    .optional(),
  expiresAt: instantSchema,
});
export type EnrollmentResponse = z.output<typeof enrollmentResponse>;

export const enrollmentParams = z.strictObject({ id: uuidSchema.meta({ description: 'Of the enrolment' }) });
export const confirmRequest = z.strictObject({ code: sixDigitsSchema });
const recoveryCodesSchema = z
  .array(z.string().meta({ example: '7KQ2-M4XP-9DTR-W6HB' }))
  .meta({ description: 'Ten codes that work once each in the stead of a factor; shown now and never again' });
export const confirmResponse = z.object({ factorId: uuidSchema, recoveryCodes: recoveryCodesSchema.optional() });
export type ConfirmResponse = z.output<typeof confirmResponse>;
export const recoveryCodesResponse = z.object({ recoveryCodes: recoveryCodesSchema });

export const factorResponse = z.object({
  id: uuidSchema,
  factor: z.enum(FACTOR_KINDS),
  label: z.string().nullable().meta({ description: 'What its owner calls it', example: 'My phone' }),
  confirmedAt: instantSchema,
  backedUp: z
    .boolean()
    .meta({ description: 'Of a passkey: whether there is a backup of it, at its last use' })
    .optional(),
  lastUsedAt: instantSchema.nullable().meta({ description: 'Of a passkey' }).optional(),
});
export const factorsResponse = z.object({
  factors: z.array(factorResponse),
  recoveryCodesLeft: z.int().meta({ description: 'Recovery codes that still work', example: 10 }),
});
export type FactorsResponse = z.output<typeof factorsResponse>;

/** The answer to the right password of an account with a second factor. */
export const mfaRequiredResponse = z.object({
  mfaRequired: z.literal(true),
  mfaToken: z.string().meta({
    description: 'Shown with the second factor; works from the same device only',
    example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE',
  }),
  factors: z.array(z.enum(SHOWABLE_FACTORS)),
  expiresIn: z.int().meta({ description: 'Seconds', example: 600 }),
});
export type MfaRequiredResponse = z.output<typeof mfaRequiredResponse>;
export const loginResponse = z.union([
  tokensResponse.meta({ title: 'A new session' }),
  mfaRequiredResponse.meta({ title: 'A second factor is needed' }),
]);
export type LoginResponse = z.output<typeof loginResponse>;

export const stepUpRequest = z.strictObject({ factor: z.enum(PROVABLE_FACTORS), code: factorCodeSchema });
export type StepUpRequest = z.output<typeof stepUpRequest>;

/** 256 bits in base64url. */
export const mfaTokenSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'must be the mfaToken of a login')
  .meta({ description: 'The mfaToken of the login', example: 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE' });
/** Asks for the code of a second factor that is sent. */
export const stepUpChallengeRequest = z.strictObject({ factor: z.enum(SENT_FACTORS) });
export const loginChallengeRequest = stepUpChallengeRequest.extend({ mfaToken: mfaTokenSchema });
export type LoginChallengeRequest = z.output<typeof loginChallengeRequest>;
export const factorCodeAccepted = z.object({
  expiresAt: instantSchema.meta({ description: 'The code works until then' }),
});
export type FactorCodeAccepted = z.output<typeof factorCodeAccepted>;
export const loginMfaRequest = stepUpRequest.extend({
  mfaToken: mfaTokenSchema,
  rememberDevice: z.boolean().optional().meta({
    description: 'Whether later logins from this device may do without the second factor, if that is allowed',
  }),
});
export type LoginMfaRequest = z.output<typeof loginMfaRequest>;
