import { defineSearchAttributeKey } from '@temporalio/common';

/** What an operator can search for in the Temporal UI. Never encrypted there: only HMACs, opaque ids and states. */
export const SEARCH_ATTRIBUTES = {
  /** Blind index of the e-mail address, hex. */
  emailIndex: defineSearchAttributeKey('MeqenetEmailIndex', 'KEYWORD'),
  /** Where the registration stands: `verification_pending`, `completed` or `expired`. */
  registrationStatus: defineSearchAttributeKey('MeqenetRegistrationStatus', 'KEYWORD'),
  /** Where a password reset stands: `open`, `completed` or `expired`. */
  passwordResetStatus: defineSearchAttributeKey('MeqenetPasswordResetStatus', 'KEYWORD'),
  /** Where a change of phone or e-mail address stands: `open`, `completed` or `expired`. */
  contactChangeStatus: defineSearchAttributeKey('MeqenetContactChangeStatus', 'KEYWORD'),
  /** Where the enrolment of a second factor stands: `open`, `confirmed`, `cancelled`, `expired`, `refused` or `too_many_attempts`. */
  mfaEnrollmentStatus: defineSearchAttributeKey('MeqenetMfaEnrollmentStatus', 'KEYWORD'),
  /** Where an account recovery stands: `open`, `completed`, `cancelled`, `denied`, `expired` or `refused`. */
  accountRecoveryStatus: defineSearchAttributeKey('MeqenetAccountRecoveryStatus', 'KEYWORD'),
  /** Where the erasure of an account stands: `open`, `completed`, `cancelled` or `refused`. */
  accountErasureStatus: defineSearchAttributeKey('MeqenetAccountErasureStatus', 'KEYWORD'),
  /** The account, once there is one. */
  userId: defineSearchAttributeKey('MeqenetUserId', 'KEYWORD'),
} as const;
