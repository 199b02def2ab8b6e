import { randomUUID } from 'node:crypto';

import type { SecurityConfig } from '../config/security.config';
import type { Caller } from '../contracts/caller';
import type { FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import { IDEMPOTENCY_KEY_LIFE_MS } from '../contracts/idempotency';
import {
  type ConfirmResponse,
  type EnrollmentRequest,
  type EnrollmentResponse,
  type FactorKind,
  STEP_UP_MAX_AGE_MS,
} from '../contracts/mfa';
import { factorLabelLocation } from '../contracts/mfa-enrollment-workflow';
import type { RecoveryCodes } from '../crypto/recovery-code';
import type { FactorRepository } from '../repositories/factor-repository';
import type { Enrollment, MfaEnrollmentRepository } from '../repositories/mfa-enrollment-repository';
import type { User, UserRepository } from '../repositories/user-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import { requireAssurance } from './assurance';
import type { EnrollmentAnswers } from './enrollment-answers';
import { refusalError } from './factor-codes';
import type { Reauthentication } from './reauthentication';

interface Dependencies {
  readonly enrollments: Pick<MfaEnrollmentRepository, 'find'>;
  readonly factors: Pick<FactorRepository, 'hasAny'>;
  readonly users: Pick<UserRepository, 'findById'>;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly answers: EnrollmentAnswers;
  readonly recoveryCodes: Pick<RecoveryCodes, 'codes'>;
  readonly starter: Pick<WorkflowStarter, 'beginEnrollment' | 'confirmEnrollment' | 'cancelEnrollment'>;
  readonly reauthentication: Pick<Reauthentication, 'byRecentLogin'>;
  /** Kinds that may be set up; read at use. */
  readonly policy: Pick<SecurityConfig, 'mfaFactors'>;
  /** Whether anybody sends SMS. */
  readonly canSendSms: boolean;
  /** Life of an enrolment, milliseconds. */
  readonly expiresInMs: number;
}

/** An enrolment that has just begun, and whose it is. */
export interface BegunEnrollment {
  readonly enrollmentId: string;
  /** What the code is tried against: the secret of an authenticator app, the challenge of a passkey. */
  readonly secret: string;
  readonly user: User;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Enrollments {
  /**
   * A first factor needs a recent login, another one a second factor that was shown lately: it takes the old one's place.
   * @throws {AppError} `reauthentication_required`, `step_up_required`, `factor_not_allowed`, `enrollment_ended` (another request
   *   at the same time has begun a later one), `service_unavailable`; where a code is to be sent those of `FactorCodes.send`
   */
  open(
    caller: Caller,
    request: { readonly factor: FactorKind; readonly label?: string | undefined },
    repetitionId?: string,
  ): Promise<BegunEnrollment>;
  /** The same, with the answer for its owner. */
  begin(caller: Caller, request: EnrollmentRequest, repetitionId?: string): Promise<EnrollmentResponse>;
  /** @throws {AppError} `invalid_code`, `enrollment_not_found`, `enrollment_ended`, `enrollment_confirmed`, `service_unavailable` */
  confirm(caller: Caller, enrollmentId: string, code: string, repetitionId?: string): Promise<ConfirmResponse>;
  /** @throws {AppError} `enrollment_not_found`, `enrollment_confirmed`, `service_unavailable` */
  cancel(caller: Caller, enrollmentId: string): Promise<void>;
}

/** What was confirmed, and nothing of what was not. */
type Confirmed = Pick<Enrollment, 'recoveryCodes'> & { readonly factorId: string };

export const createEnrollments = (deps: Dependencies): Enrollments => {
  const { enrollments, factors, users, cipher, answers, recoveryCodes, starter, reauthentication } = deps;

  const authorize = async (caller: Caller): Promise<void> => {
    if (await factors.hasAny(caller.userId)) requireAssurance(caller, { acr: 'aal2', maxAgeMs: STEP_UP_MAX_AGE_MS });
    else reauthentication.byRecentLogin(caller);
  };

  const find = async (userId: string, enrollmentId: string): Promise<Enrollment> => {
    const enrollment = await enrollments.find(userId, enrollmentId);
    if (enrollment === undefined) throw new AppError('enrollment_not_found');
    return enrollment;
  };

  /** The factor, where this very request has confirmed it and its answer was lost. */
  const confirmedBefore = (enrollment: Enrollment, repetitionId: string | undefined): Confirmed | undefined => {
    const { status, lastAttemptId, factorId, closedAt, recoveryCodes: withCodes } = enrollment;
    const isRecent = closedAt !== null && closedAt.getTime() > Date.now() - IDEMPOTENCY_KEY_LIFE_MS;
    const isOwn = status === 'CONFIRMED' && repetitionId !== undefined && lastAttemptId === repetitionId;
    return isOwn && isRecent && factorId !== null ? { factorId, recoveryCodes: withCodes } : undefined;
  };

  const closedError = ({ status }: Enrollment): AppError =>
    new AppError(status === 'CONFIRMED' ? 'enrollment_confirmed' : 'enrollment_ended');

  const answerOf = ({ factorId, recoveryCodes: withCodes }: Confirmed): ConfirmResponse => ({
    factorId,
    ...(withCodes && { recoveryCodes: recoveryCodes.codes(factorId) }),
  });

  const tryCode = async (
    caller: Caller,
    enrollment: Enrollment,
    attempt: { readonly enrollmentId: string; readonly code: string },
    repetitionId: string | undefined,
  ): Promise<Confirmed> => {
    if (enrollment.status !== 'OPEN') throw closedError(enrollment);
    const result = await starter.confirmEnrollment(enrollment.workflowId, attempt, repetitionId ?? randomUUID());
    if (result?.outcome === 'confirmed') return result;
    if (result?.outcome === 'invalid_code' || result?.outcome === 'too_many_attempts')
      throw new AppError('invalid_code');
    // It closed between the look into the database and the update.
    const now = await find(caller.userId, attempt.enrollmentId);
    const confirmed = confirmedBefore(now, repetitionId);
    if (confirmed === undefined) throw closedError(now);
    return confirmed;
  };

  const open: Enrollments['open'] = async (caller, { factor, label }, repetitionId) => {
    const { userId } = caller;
    if (!deps.policy.mfaFactors.includes(factor)) throw new AppError('factor_not_allowed');
    await authorize(caller);
    if (factor === 'sms_otp' && !deps.canSendSms) throw new AppError('sms_unavailable');
    const labelCiphertext = label === undefined ? undefined : await cipher.encrypt(label, factorLabelLocation(userId));
    const begun = await starter.beginEnrollment({
      input: { userId, factor, expiresInMs: deps.expiresInMs },
      begin: { labelCiphertext },
      updateId: repetitionId ?? randomUUID(),
    });
    if ('refused' in begun) throw refusalError(begun);
    const { enrollmentId, expiresAt } = begun;
    const [{ secret }, user] = await Promise.all([find(userId, enrollmentId), users.findById(userId)]);
    if (secret === undefined || user === undefined) throw new AppError('enrollment_ended');
    return { enrollmentId, secret, user, expiresAt };
  };

  return {
    open,

    async begin(caller, request, repetitionId) {
      const { factor } = request;
      const begun = await open(caller, request, repetitionId);
      const { enrollmentId, expiresAt } = begun;
      return { enrollmentId, factor, ...answers[factor](begun), expiresAt: new Date(expiresAt).toISOString() };
    },

    async confirm(caller, enrollmentId, code, repetitionId) {
      const enrollment = await find(caller.userId, enrollmentId);
      const confirmed =
        confirmedBefore(enrollment, repetitionId) ??
        (await tryCode(caller, enrollment, { enrollmentId, code }, repetitionId));
      return answerOf(confirmed);
    },

    async cancel({ userId }, enrollmentId) {
      const { status, workflowId } = await find(userId, enrollmentId);
      if (status === 'CONFIRMED') throw new AppError('enrollment_confirmed');
      if (status === 'OPEN') await starter.cancelEnrollment(workflowId, enrollmentId);
    },
  };
};
