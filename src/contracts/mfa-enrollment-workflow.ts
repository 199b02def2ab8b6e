import { defineUpdate } from '@temporalio/workflow';

import type { FieldLocation } from './data-protection';
import type { FactorCodeRefusal } from './factor-code-workflow';
import type { FactorKind } from './mfa';

export const MFA_ENROLLMENT_WORKFLOW = 'mfaEnrollment';

export const mfaEnrollmentWorkflowId = (userId: string, factor: FactorKind): string =>
  `mfa-enrollment/${userId}/${factor}`;

/** An enrolment that waits for its code. */
export interface OpenEnrollment {
  readonly enrollmentId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Ids and times only: secret and recovery codes never enter Temporal. */
export interface MfaEnrollmentInput {
  readonly userId: string;
  readonly factor: FactorKind;
  /** Life of an enrolment, milliseconds. */
  readonly expiresInMs: number;
  /** An enrolment that goes on in a new run, because the history of the old one had become long. */
  readonly open?: OpenEnrollment | undefined;
}

export type MfaEnrollmentResult = 'confirmed' | 'cancelled' | 'expired' | 'too_many_attempts' | 'refused';

export interface EnrollmentBegin {
  /** What the owner calls the factor, encrypted for the account (see `factorLabelLocation`). */
  readonly labelCiphertext?: string | undefined;
}

/** It works once, and stands in the history under the payload codec only. */
export interface EnrollmentAttempt {
  readonly enrollmentId: string;
  /** Of some kinds not a code but the response to a challenge, as JSON text. */
  readonly code: string;
}

export type ConfirmOutcome =
  | { readonly outcome: 'confirmed'; readonly factorId: string; readonly recoveryCodes: boolean }
  | { readonly outcome: 'invalid_code' | 'too_many_attempts' | 'ended' | 'already_confirmed' };

/**
 * Begins an enrolment with a new secret or a new code; an older one that is still open ends. A repeated delivery has the same
 * update id. Refused where no code can be sent: an older one then goes on.
 */
export const beginUpdate = defineUpdate<OpenEnrollment | FactorCodeRefusal, [begin: EnrollmentBegin]>('begin');
/** Tries a code; the update's id makes a repeated delivery the same try. */
export const confirmUpdate = defineUpdate<ConfirmOutcome, [attempt: EnrollmentAttempt]>('confirm');
/** Gives the enrolment up. */
export const cancelUpdate = defineUpdate<undefined, [enrollmentId: string]>('cancel');

/** A label is the account's wherever it stands: as part of an enrolment, then of a factor. */
export const factorLabelLocation = (userId: string): FieldLocation => ({
  table: 'factors',
  column: 'label_ciphertext',
  rowId: userId,
  personId: userId,
});
