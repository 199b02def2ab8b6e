import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { z } from 'zod';

import { localeSchema } from './locale';
import { cleanText, NOT_BLANK, secretText } from './text';

/** RFC 5321 allows 254 characters for an address, and 64 for what stands before the `@`. */
const MAX_EMAIL_LENGTH = 254;
const MAX_LOCAL_PART_LENGTH = 64;

/** An e-mail address, trimmed and in lower case (the domain is case-insensitive, and no provider distinguishes the local part). */
export const emailSchema = z
  .string()
  .max(MAX_EMAIL_LENGTH)
  // Before lower case, which makes an ASCII `k` of the Kelvin sign.
  .transform((value) => value.trim())
  .pipe(z.email())
  .transform((value) => value.toLowerCase())
  .refine((value) => value.indexOf('@') <= MAX_LOCAL_PART_LENGTH, 'Invalid email address')
  .meta({ description: 'E-mail address', example: 'abebe@example.et', format: 'email' });

/** A phone number in E.164; Ethiopian numbers may be given in local form (`0911…`). */
export const phoneSchema = z
  .string()
  .max(32)
  .transform((value, context) => {
    // Without `extract` a number in the midst of other text would do; an extension would be dropped.
    const number = parsePhoneNumberFromString(value, { defaultCountry: 'ET', extract: false });
    if (
      number?.isPossible() !== true ||
      number.ext !== undefined ||
      (number.countryCallingCode === '251' && !/^\+251[79]\d{8}$/.test(number.number))
    ) {
      context.addIssue({ code: 'custom', message: 'must be a phone number such as +251911234567' });
      return z.NEVER;
    }
    return number.number;
  })
  .meta({ description: 'Phone number, E.164 or Ethiopian local form', example: '+251911234567', format: 'phone' });

/** A Fayda FIN (12 digits) or FCN/FAN (16 digits); spaces and hyphens are dropped. */
export const faydaIdSchema = z
  .string()
  .max(40)
  .transform((value) => value.replace(/[ -]/g, ''))
  .pipe(z.string().regex(/^(\d{12}|\d{16})$/, 'must have 12 or 16 digits'))
  .meta({
    description: 'Fayda FIN (12 digits) or FCN/FAN (16 digits)',
    example: '6140 7982 3471',
    format: 'fayda-id',
  });

/** A name part, trimmed and in NFC. */
export const nameSchema = cleanText(100)
  .meta({ pattern: NOT_BLANK })
  .transform((value) => value.trim().normalize('NFC'))
  .pipe(z.string().min(1))
  .meta({ description: 'Name', example: 'Abebe' });

/** 8 to 128 code points after NFC; no composition rules (NIST SP 800-63B-4). */
export const newPasswordSchema = secretText(0, 1_024)
  .meta({ minLength: 8, maxLength: 128, format: 'new-password' })
  .transform((value) => value.normalize('NFC'))
  .refine((value) => {
    const { length } = [...value];
    return length >= 8 && length <= 128;
  }, 'must have 8 to 128 characters')
  .meta({
    description: 'Password of 8 to 128 characters; common, simple and personal ones are refused',
    example: 'correct horse battery staple',
  });

/** A password to be checked: any text that could ever have been one. */
export const passwordAttemptSchema = secretText(1, 1_024)
  .transform((value) => value.normalize('NFC'))
  .meta({ description: 'Password', example: 'correct horse battery staple' });

export const consentSchema = z.strictObject({
  purpose: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower-case letters, digits and underscores')
    .meta({ description: 'What is consented to', example: 'marketing' }),
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'must be a version such as 2026-01')
    .meta({ description: 'Version of the document', example: '2026-01' }),
});

/** In lower case: Temporal compares ids as text. */
export const uuidSchema = z.uuid().toLowerCase().meta({ example: '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11' });
export const instantSchema = z.iso
  .datetime()
  .meta({ description: 'UTC, ISO 8601', example: '2026-11-24T10:00:00.000Z' });

export { localeSchema };
