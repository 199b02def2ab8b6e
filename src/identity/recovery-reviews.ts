import { randomUUID } from 'node:crypto';

import type { AdminRecovery, RecoveryList, RecoveryListQuery } from '../contracts/account-recovery';
import { type RecoveryDecision, recoveryOriginLocation } from '../contracts/account-recovery-workflow';
import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import type { FieldCipher } from '../contracts/data-protection';
import { AppError, type ErrorCode } from '../contracts/errors';
import type { Cursors } from '../crypto/cursor';
import type { RecoveryReviewRepository } from '../repositories/recovery-review-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import { readPage } from './page';

interface Dependencies {
  readonly reviews: RecoveryReviewRepository;
  readonly cursors: Cursors;
  readonly cipher: Pick<FieldCipher, 'encrypt'>;
  readonly starter: Pick<WorkflowStarter, 'decideRecovery'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
}

interface Review {
  readonly caller: Caller;
  readonly origin: RequestOrigin;
  readonly repetitionId?: string | undefined;
}

/** What support sees of recoveries, and decides. */
export interface RecoveryReviews {
  /** @throws {AppError} `validation_failed` (cursor) */
  list(query: RecoveryListQuery, by: Review): Promise<RecoveryList>;
  /** @throws {AppError} `recovery_not_found` */
  find(id: string, by: Review): Promise<AdminRecovery>;
  /** @throws {AppError} `recovery_not_found`, `recovery_closed`, `own_account`, `forbidden`, `service_unavailable` */
  decide(id: string, decision: Pick<RecoveryDecision, 'act' | 'evidence' | 'note'>, by: Review): Promise<void>;
}

export const createRecoveryReviews = (deps: Dependencies): RecoveryReviews => {
  const { reviews, cursors, cipher, starter, recordAudit } = deps;
  const get = async (id: string): Promise<AdminRecovery> => {
    const found = await reviews.find(id);
    if (found === undefined) throw new AppError('recovery_not_found');
    return found;
  };

  return {
    async list(query, { caller, origin }) {
      const load = (before: string | undefined, limit: number) => reviews.list({ ...query, limit }, before);
      const idOf = ({ recoveryId }: AdminRecovery): string => recoveryId;
      const { entries, nextCursor } = await readPage(cursors, 'recoveries', query, load, idOf);
      const [actor, details] = [{ kind: 'user', id: caller.userId } as const, { recoveryIds: entries.map(idOf) }];
      await recordAudit({ action: 'recoveries.listed', actor, origin, details });
      return { recoveries: [...entries], nextCursor };
    },

    async find(id, { caller, origin }) {
      const found = await get(id);
      const [actor, details] = [{ kind: 'user', id: caller.userId } as const, { recoveryId: id }];
      await recordAudit({ action: 'recovery.read', actor, subjectId: found.userId, origin, details });
      return found;
    },

    async decide(id, decision, { caller, origin, repetitionId }) {
      const { userId, status } = await get(id);
      if (status !== 'waiting' && status !== 'ready') throw new AppError('recovery_closed');
      const originCiphertext = await cipher.encrypt(JSON.stringify(origin), recoveryOriginLocation(id, caller.userId));
      const result = await starter.decideRecovery(
        userId,
        { ...decision, recoveryId: id, approverId: caller.userId, originCiphertext },
        repetitionId ?? randomUUID(),
      );
      if (result?.outcome === 'refused') throw new AppError(result.code as ErrorCode);
      if (result === undefined || result.outcome === 'closed') throw new AppError('recovery_closed');
    },
  };
};
