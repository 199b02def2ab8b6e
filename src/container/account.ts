import type { PasswordHasher } from '../crypto/password-hasher';
import { createAccountErasures } from '../identity/account-erasures';
import { createConsents } from '../identity/consents';
import { createContactChanges } from '../identity/contact-changes';
import { createDataExports } from '../identity/data-exports';
import { createProveOwner } from '../identity/owner-proof';
import type { ProvePassword } from '../identity/password-proof';
import { createProfile } from '../identity/profile';
import { createReauthentication } from '../identity/reauthentication';
import { createConsentRepository } from '../repositories/consent-repository';
import { createProfileRepository } from '../repositories/profile-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { ProcessContext } from './process';
import type { Data } from './data';

interface Parts {
  readonly hasher: PasswordHasher;
  readonly provePassword: ProvePassword;
  readonly starter: WorkflowStarter;
}

/** What people do with their own account. */
export const buildAccount = (
  { config, logger }: ProcessContext<'security' | 'sms' | 'privacy'>,
  data: Data,
  { hasher, provePassword, starter }: Parts,
) => {
  const { security, sms } = config;
  const profile = createProfile({ ...data, profiles: createProfileRepository(data) });
  const consents = createConsents({ consents: createConsentRepository(data), config: config.privacy });
  const reauthentication = createReauthentication({
    ...data,
    ...{ hasher, provePassword },
    maxAgeMs: security.reauthenticationMaxAgeMs,
  });
  const contactChanges = createContactChanges({
    ...data,
    ...{ reauthentication, starter },
    canSendSms: sms.provider !== 'none',
    expiresInMs: security.contactChangeExpiresInMs,
  });
  const proveOwner = createProveOwner({ ...data, reauthentication });
  const dataExports = createDataExports({
    ...{ exports: data.exports, proveOwner, starter },
    expiresInMs: config.privacy.exportExpiresInMs,
  });
  const erasures = createAccountErasures({
    ...data,
    ...{ starter, logger, proveOwner },
    graceMs: config.privacy.erasureGraceMs,
  });
  return { erasures, dataExports, profile, consents, contactChanges, reauthentication };
};
