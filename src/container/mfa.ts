import type { Config } from '../config/sections';
import { hashOpaqueToken, newOpaqueToken } from '../crypto/opaque-token';
import { toQrCode } from '../crypto/qr-code';
import type { CancelRecovery } from '../identity/recovery-cancel';
import { createEnrollmentAnswers } from '../identity/enrollment-answers';
import { createEnrollments } from '../identity/enrollments';
import { createFactorCodes } from '../identity/factor-codes';
import { createFactors } from '../identity/factors';
import type { LockOut } from '../identity/lock-out';
import { createLoginChallenges } from '../identity/login-challenges';
import type { MfaPolicy } from '../identity/mfa-policy';
import type { Notices } from '../identity/notices';
import type { Reauthentication } from '../identity/reauthentication';
import { createRememberedDevices } from '../identity/remembered-devices';
import { createSecondFactors } from '../identity/second-factors';
import type { Sessions } from '../identity/sessions';
import { createStepUp } from '../identity/step-up';
import { createLoginChallengeRepository } from '../repositories/login-challenge-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { Data } from './data';

const TOKENS = { create: newOpaqueToken, hash: hashOpaqueToken };

/** Where second factors are shown: the second half of a login, and step-up; and the devices that need not show one. */
export const buildSecondFactors = (
  { security, sms }: Config<'security' | 'sms'>,
  data: Data,
  parts: {
    readonly sessions: Sessions;
    readonly lockOut: LockOut;
    readonly starter: WorkflowStarter;
    readonly notices: Notices;
    readonly cancelRecovery: CancelRecovery;
  },
) => {
  const secondFactors = createSecondFactors({ ...data, ...parts });
  const remembered = createRememberedDevices({ ...data, tokens: TOKENS, config: security });
  const factorCodes = createFactorCodes({ ...data, ...parts, canSendSms: sms.provider !== 'none' });
  const challenges = createLoginChallenges({
    ...data,
    ...parts,
    ...{ secondFactors, codes: factorCodes, remembered, tokens: TOKENS },
    loginChallenges: createLoginChallengeRepository(data.database),
  });
  return { challenges, factorCodes, remembered, stepUp: createStepUp({ ...data, ...parts, secondFactors }) };
};

interface Parts {
  readonly reauthentication: Reauthentication;
  readonly starter: WorkflowStarter;
  readonly notices: Notices;
  readonly policyOfRoles: MfaPolicy;
}

/** Enrolment and removal of second factors. */
export const buildMfa = (
  { security, sms }: Config<'security' | 'sms'>,
  data: Data,
  { reauthentication, starter, notices, policyOfRoles }: Parts,
) => ({
  enrollments: createEnrollments({
    ...data,
    ...{ reauthentication, starter },
    answers: createEnrollmentAnswers({ ...data, toQrCode }),
    policy: security,
    canSendSms: sms.provider !== 'none',
    expiresInMs: security.mfaEnrollmentExpiresInMs,
  }),
  factors: createFactors({ ...data, notices, policy: policyOfRoles }),
});
