import type { CancelRecovery } from '../identity/recovery-cancel';
import type { Enrollments } from '../identity/enrollments';
import type { LockOut } from '../identity/lock-out';
import type { LoginChallenges } from '../identity/login-challenges';
import type { Notices } from '../identity/notices';
import { createPasskeyLogins } from '../identity/passkey-logins';
import { createPasskeyProofs } from '../identity/passkey-proofs';
import { createPasskeyRegistrations } from '../identity/passkey-registrations';
import { createPasskeyStepUp } from '../identity/passkey-step-up';
import type { Sessions } from '../identity/sessions';
import { createPasskeyChallengeRepository } from '../repositories/passkey-challenge-repository';
import { createPasskeyRepository } from '../repositories/passkey-repository';

import type { Data } from './data';

interface Parts {
  readonly sessions: Sessions;
  readonly lockOut: LockOut;
  readonly notices: Notices;
  readonly cancelRecovery: CancelRecovery;
  readonly challenges: LoginChallenges;
  readonly mfa: { readonly enrollments: Enrollments };
}

/** Passkeys: registration, login and step-up. */
export const buildPasskeys = (data: Data, parts: Parts) => {
  const passkeyRepository = createPasskeyRepository(data);
  const passkeyChallenges = createPasskeyChallengeRepository(data.database);
  const proofs = createPasskeyProofs({ ...data, ...parts, passkeyRepository, passkeyChallenges });
  const shared = { ...data, ...parts, passkeyRepository, proofs };
  return {
    registrations: createPasskeyRegistrations({ ...shared, enrollments: parts.mfa.enrollments }),
    logins: createPasskeyLogins(shared),
    stepUp: createPasskeyStepUp(shared),
  };
};
