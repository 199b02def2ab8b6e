import { z } from 'zod';

import { consentDocuments, reloadable } from './fields';

export const privacyEnv = z.object({
  CONSENT_DOCUMENTS: reloadable(
    consentDocuments(
      'terms@2026-01!,privacy_notice@2026-01!,marketing@2026-01',
      'What people are asked to consent to, and the version that is asked for now; with ! the account cannot be without it',
    ),
  ),
});

/** Data protection. Times are milliseconds. */
export const toPrivacyConfig = (env: z.output<typeof privacyEnv>) => ({
  consentDocuments: env.CONSENT_DOCUMENTS,
});
export type PrivacyConfig = ReturnType<typeof toPrivacyConfig>;
