import {
  accountRecoveryWorkflowId,
  type DecisionOutcome,
  type RecoveryDecision,
  recoveryOriginLocation,
} from '../contracts/account-recovery-workflow';
import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';
import { AppError } from '../contracts/errors';
import type { AdminRepository } from '../repositories/admin-repository';
import type { RecoveryReviewRepository } from '../repositories/recovery-review-repository';

import { checkRank } from './admin-rules';

interface Dependencies {
  readonly accounts: Pick<AdminRepository, 'hold'>;
  readonly reviews: Pick<RecoveryReviewRepository, 'find'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

export type DecideRecovery = (decision: RecoveryDecision) => Promise<DecisionOutcome>;

/**
 * Support approves or denies a recovery: with the rights of now, never of the own account nor of one with rights that the approver
 * lacks, and in one transaction with its record. An approval that is there already is left as it is.
 */
export const createRecoveryDecisions = ({ accounts, reviews, cipher, recordAudit }: Dependencies): DecideRecovery => {
  const decide = async (decision: RecoveryDecision, userId: string, event: NewAuditEvent): Promise<DecisionOutcome> => {
    const { recoveryId, approverId, act, evidence = '' } = decision;
    return accounts.hold({ actorId: approverId, targetId: userId }, async (held, acts) => {
      checkRank(held, 'recoveries:approve');
      const isAdmin = held.actor?.roles.includes('ADMIN') ?? false;
      const isDone =
        act === 'approve'
          ? await acts.approveRecovery({ recoveryId, approverId, evidence, isAdmin })
          : await acts.denyRecovery(recoveryId);
      if (!isDone) return { outcome: 'closed' };
      await acts.record(event);
      return { outcome: act === 'approve' ? 'approved' : 'denied' };
    });
  };

  return async (decision) => {
    const { recoveryId, approverId, act, evidence, note } = decision;
    const recovery = await reviews.find(recoveryId);
    if (recovery === undefined) return { outcome: 'closed' };
    const { userId } = recovery;
    const origin = JSON.parse(
      await cipher.decrypt(decision.originCiphertext, recoveryOriginLocation(recoveryId, approverId)),
    ) as RequestOrigin;
    const event: NewAuditEvent = {
      action: act === 'approve' ? 'mfa.recovery_approved' : 'mfa.recovery_denied',
      actor: { kind: 'user', id: approverId },
      ...{ subjectId: userId, origin, workflowId: accountRecoveryWorkflowId(userId) },
      details: { recoveryId, ...(evidence !== undefined && { evidence }), ...(note !== undefined && { note }) },
    };
    try {
      return await decide(decision, userId, event);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await recordAudit({ ...event, outcome: 'denied', details: { recoveryId, code: error.code } });
      return { outcome: 'refused', code: error.code };
    }
  };
};
