import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

import type { ErasureResponse } from '../contracts/account-erasure';
import { accountErasureWorkflowId } from '../contracts/account-erasure-workflow';
import type { NewAuditEvent, RequestOrigin } from '../contracts/audit';
import type { Caller } from '../contracts/caller';
import { AppError } from '../contracts/errors';
import type { AccountErasureRepository, FoundErasure } from '../repositories/account-erasure-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { RequestContext } from './contact-changes';
import type { ProveOwner } from './owner-proof';

interface Dependencies {
  readonly erasures: Pick<AccountErasureRepository, 'findPending' | 'cancel'>;
  readonly proveOwner: ProveOwner;
  readonly starter: Pick<WorkflowStarter, 'beginErasure' | 'tellErasureChanged'>;
  readonly recordAudit: (event: NewAuditEvent) => Promise<void>;
  readonly logger: { warn(fields: object, message: string): void };
  /** The owner can take it back for so long, milliseconds. */
  readonly graceMs: number;
}

/** The end of an account, which its owner can take back for a while. */
export interface AccountErasures {
  /** One that is pending stays as it is.
   * @throws {AppError} `reauthentication_required`, `step_up_required`, `last_administrator`, `invalid_token`, `service_unavailable` */
  request(caller: Caller, context: RequestContext): Promise<ErasureResponse>;
  /** @throws {AppError} `erasure_not_found` */
  find(caller: Caller): Promise<ErasureResponse>;
  /** Takes it back. @throws {AppError} `erasure_not_found` */
  restore(caller: Caller, origin: RequestOrigin): Promise<ErasureResponse>;
}

/** Of the ids of erasures that follow from a repetition id (RFC 9562, section 6.6). */
const ERASURE_NAMESPACE = '0b6c1f5e-4a55-4a52-8c7e-5c2f0f3d9a64';

const toResponse = (status: ErasureResponse['status'], at: Pick<FoundErasure, 'requestedAt' | 'eraseAt'>) => ({
  status,
  requestedAt: at.requestedAt.toISOString(),
  eraseAt: at.eraseAt.toISOString(),
});

export const createAccountErasures = (deps: Dependencies): AccountErasures => {
  const { erasures, proveOwner, starter, recordAudit, logger, graceMs } = deps;
  return {
    async request(caller, { origin, repetitionId }) {
      const { userId } = caller;
      await proveOwner(caller);
      const erasureId = repetitionId === undefined ? uuidv7() : uuidv5(repetitionId, ERASURE_NAMESPACE);
      const result = await starter.beginErasure({ userId, graceMs }, erasureId);
      if (result.outcome === 'last_administrator') throw new AppError('last_administrator');
      if (result.outcome !== 'pending') throw new AppError('invalid_token');
      // Asked for again: there is nothing new to tell.
      if (result.erasureId === erasureId) {
        const actor = { kind: 'user', id: userId } as const;
        const event = { action: 'account.erasure_requested', actor, subjectId: userId, origin } as const;
        await recordAudit({ ...event, workflowId: accountErasureWorkflowId(userId), details: { erasureId } });
      }
      const { requestedAt, eraseAt } = result;
      return toResponse('pending', { requestedAt: new Date(requestedAt), eraseAt: new Date(eraseAt) });
    },

    async find({ userId }) {
      const found = await erasures.findPending(userId);
      if (found === undefined) throw new AppError('erasure_not_found');
      return toResponse('pending', found);
    },

    async restore({ userId }, origin) {
      const cancelled = await erasures.cancel(userId, origin);
      if (cancelled === undefined) throw new AppError('erasure_not_found');
      // It holds without that; the workflow looks into the database before it does anything.
      await starter.tellErasureChanged(userId).catch((error: unknown) => {
        logger.warn({ err: error, userId }, 'the workflow of an erasure that was taken back could not be told');
      });
      return toResponse('cancelled', cancelled);
    },
  };
};
