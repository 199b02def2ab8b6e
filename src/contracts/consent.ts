import { z } from 'zod';

import { consentSchema, instantSchema } from './identity';

/** Rows of the history that an answer holds, the newest first. */
export const CONSENT_HISTORY_LIMIT = 200;

export const CONSENT_ACTS = ['given', 'withdrawn'] as const;
export type ConsentAct = (typeof CONSENT_ACTS)[number];
/** With the registration, or later by the logged-in owner. */
export const CONSENT_SOURCES = ['registration', 'account'] as const;
export type ConsentSource = (typeof CONSENT_SOURCES)[number];

export const giveConsentRequest = consentSchema;
export type GiveConsentRequest = z.output<typeof giveConsentRequest>;
export const consentParams = z.strictObject({
  purpose: consentSchema.shape.purpose,
});

export const consentStanding = z.object({
  purpose: z.string().meta({ example: 'marketing' }),
  required: z
    .boolean()
    .meta({ description: 'The account cannot be without it: it ends with the erasure of the account' }),
  currentVersion: z.string().nullable().meta({
    description: 'Version that is asked for now; `null` for a purpose that is no longer asked for',
    example: '2026-01',
  }),
  status: z.enum([...CONSENT_ACTS, 'never_given']),
  version: z.string().nullable().meta({ description: 'Version that the newest act was about', example: '2026-01' }),
  since: instantSchema.nullable(),
  upToDate: z.boolean().meta({ description: 'Whether it is given, and to the version that is asked for now' }),
});
export type ConsentStanding = z.output<typeof consentStanding>;

export const consentHistoryEntry = z.object({
  purpose: z.string().meta({ example: 'marketing' }),
  version: z.string().meta({ example: '2026-01' }),
  act: z.enum(CONSENT_ACTS),
  source: z.enum(CONSENT_SOURCES),
  at: instantSchema,
  ip: z
    .string()
    .nullable()
    .meta({ description: 'Address of the client; `null` for a registration', example: '196.188.12.7' }),
  userAgent: z.string().nullable().meta({ example: 'Mozilla/5.0 (Android 15; Mobile; rv:143.0) Firefox/143.0' }),
});
export type ConsentHistoryEntry = z.output<typeof consentHistoryEntry>;

export const consentsResponse = z.object({
  consents: z.array(consentStanding),
  history: z
    .array(consentHistoryEntry)
    .meta({ description: `The newest first, at most ${String(CONSENT_HISTORY_LIMIT)}` }),
});
export type ConsentsResponse = z.output<typeof consentsResponse>;
