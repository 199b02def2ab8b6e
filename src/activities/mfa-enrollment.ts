import type { FactorCodeRefusal } from '../contracts/factor-code-workflow';
import type { ConfirmOutcome, EnrollmentAttempt, OpenEnrollment } from '../contracts/mfa-enrollment-workflow';
import type { MfaEnrollmentRepository, NewEnrollment } from '../repositories/mfa-enrollment-repository';

interface Dependencies {
  readonly enrollments: Pick<MfaEnrollmentRepository, 'create' | 'confirm' | 'end'>;
}

/** The steps of the `mfa` task queue. Each may run twice without harm; no secret leaves them. */
export const createMfaEnrollmentActivities = ({ enrollments }: Dependencies) => ({
  createEnrollment: (enrollment: NewEnrollment): Promise<OpenEnrollment | FactorCodeRefusal> =>
    enrollments.create(enrollment),

  /** In one transaction: the end of the enrolment, the factor in the stead of the old one, recovery codes with the first. */
  confirmEnrollment: (attempt: EnrollmentAttempt & { attemptId: string }): Promise<ConfirmOutcome> =>
    enrollments.confirm(attempt),

  endEnrollment: ({ enrollmentId }: { enrollmentId: string }): Promise<void> => enrollments.end(enrollmentId),
});
export type MfaEnrollmentActivities = ReturnType<typeof createMfaEnrollmentActivities>;
