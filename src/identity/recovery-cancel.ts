import type { Logger } from 'pino';

import type { RecoveryEnding } from '../contracts/account-recovery';
import type { RequestOrigin } from '../contracts/audit';
import type { AccountRecoveryRepository } from '../repositories/account-recovery-repository';
import type { WorkflowStarter } from '../temporal/workflow-starter';

import type { Notices } from './notices';

/** Cancels whatever recovery an account has: by its owner, or by what only its owner can do. */
export type CancelRecovery = (userId: string, by: RecoveryEnding, origin: RequestOrigin) => Promise<boolean>;

interface CancelDependencies {
  readonly recoveries: Pick<AccountRecoveryRepository, 'cancel'>;
  readonly notices: Pick<Notices, 'tell'>;
  readonly starter: Pick<WorkflowStarter, 'tellRecoveryChanged'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Counts at once, whether or not Temporal answers: the workflow looks into the database before each step. */
export const createCancelRecovery =
  ({ recoveries, notices, starter, logger }: CancelDependencies): CancelRecovery =>
  async (userId, by, origin) => {
    const eventId = await recoveries.cancel(userId, by, origin);
    if (eventId === undefined) return false;
    notices.tell({ name: 'mfa:recovery-cancelled', eventId, userId });
    starter.tellRecoveryChanged(userId).catch((error: unknown) => {
      logger.warn({ err: error, userId }, 'a recovery learns of its end at its next step');
    });
    return true;
  };
