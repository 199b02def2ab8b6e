import { z } from 'zod';

import { consentDocuments, duration, reloadable } from './fields';

const DAY_MS = 24 * 60 * 60 * 1_000;

export const privacyEnv = z.object({
  CONSENT_DOCUMENTS: reloadable(
    consentDocuments(
      'terms@2026-01!,privacy_notice@2026-01!,marketing@2026-01',
      'What people are asked to consent to, and the version that is asked for now; with ! the account cannot be without it',
    ),
  ),
  EXPORT_EXPIRES_IN: duration('24h', 'A copy of all that is held about a person can be downloaded for so long'),
  ERASURE_GRACE: duration(
    '14d',
    'The owner of an account can take its erasure back for so long; at least 24h in production',
  ),
  RETENTION_INTERVAL: duration('24h', 'So often everything is dropped that has been kept for long enough', 1_000),
  RETENTION_LEFTOVERS: duration(
    '48h',
    'What is of no use any more, such as expired challenges and answers, is kept for so long',
  ),
  RETENTION_REGISTRATIONS: duration('30d', 'How a registration ended is known for so long', DAY_MS),
  RETENTION_SESSIONS: duration('90d', 'Sessions that have ended are kept for so long', DAY_MS),
  RETENTION_STEPS: duration(
    '30d',
    'Password resets, changes of phone and address, enrolments and codes are kept for so long after they ended',
    4 * DAY_MS,
  ),
  RETENTION_RECOVERIES: duration('365d', 'Account recoveries are kept for so long after they ended', 31 * DAY_MS),
  RETENTION_KNOWN_DEVICES: duration('365d', 'A device that logged in is known for so long after its last use', DAY_MS),
  RETENTION_DELIVERIES: duration('90d', 'That a mail or SMS was sent is kept for so long', 15 * DAY_MS),
  RETENTION_NOTICES: duration('7d', 'A notice that could not be enqueued is given up after so long', DAY_MS),
  RETENTION_AUDIT: duration(
    '3650d',
    'Events of the audit trail are kept for so long; the database keeps a year in any case',
    365 * DAY_MS,
  ),
});

/** Data protection. Times are milliseconds. */
export const toPrivacyConfig = (env: z.output<typeof privacyEnv>) => ({
  consentDocuments: env.CONSENT_DOCUMENTS,
  exportExpiresInMs: env.EXPORT_EXPIRES_IN,
  erasureGraceMs: env.ERASURE_GRACE,
  retention: {
    intervalMs: env.RETENTION_INTERVAL,
    periods: {
      leftovers: env.RETENTION_LEFTOVERS,
      registrations: env.RETENTION_REGISTRATIONS,
      sessions: env.RETENTION_SESSIONS,
      steps: env.RETENTION_STEPS,
      recoveries: env.RETENTION_RECOVERIES,
      knownDevices: env.RETENTION_KNOWN_DEVICES,
      deliveries: env.RETENTION_DELIVERIES,
      notices: env.RETENTION_NOTICES,
      audit: env.RETENTION_AUDIT,
    },
  },
});
export type PrivacyConfig = ReturnType<typeof toPrivacyConfig>;
