import type { SentFactor } from '../contracts/factor-code-workflow';

import type { FactorCodeRepository } from './factor-code-repository';
import { type EnrollmentIdentity, EnrollmentRefused, type FactorStrategy } from './factor-kinds';

/** Codes that are sent to the proven address or phone: nothing is kept of the factor but that it is there. */
export const createSentStrategy = (
  factor: SentFactor,
  factorCodes: Pick<FactorCodeRepository, 'issue' | 'prove'>,
): FactorStrategy => {
  const useOf = ({ enrollmentId, userId }: EnrollmentIdentity) => ({
    ...({ userId, factor, purpose: 'ENROLLMENT' } as const),
    boundTo: Uint8Array.from(Buffer.from(enrollmentId)),
  });
  return {
    isSingle: true,
    async begin(sql, enrollment) {
      const issued = await factorCodes.issue(sql, { ...useOf(enrollment), codeId: enrollment.enrollmentId });
      if ('refused' in issued) throw new EnrollmentRefused(issued);
      return issued.codeId;
    },
    prove: async (sql, enrollment, code) => ((await factorCodes.prove(sql, useOf(enrollment), code)) ? {} : undefined),
  };
};
