import type {
  BeginOutcome,
  CompletionOutcome,
  DecisionOutcome,
  RecoveryCompletion,
  RecoveryDecision,
  RecoveryState,
} from '../contracts/account-recovery-workflow';
import type { DecideRecovery } from '../identity/recovery-decisions';
import type {
  AccountRecoveryRepository,
  ExpiredRecovery,
  ReadyOutcome,
} from '../repositories/account-recovery-repository';
import type { RecoveryCompletionRepository } from '../repositories/recovery-completion-repository';
import type { NewRecovery } from '../repositories/recovery-request';

interface Dependencies {
  readonly recoveries: Pick<AccountRecoveryRepository, 'create' | 'read' | 'ready' | 'expire'>;
  readonly completions: RecoveryCompletionRepository;
  readonly decide: DecideRecovery;
}

/** The steps of a recovery. Each may run twice without harm; `at` is the workflow's time, milliseconds since 1970. */
export const createAccountRecoveryActivities = ({ recoveries, completions, decide }: Dependencies) => ({
  createRecovery: (recovery: NewRecovery): Promise<BeginOutcome> => recoveries.create(recovery),
  readRecovery: ({ recoveryId }: { recoveryId: string }): Promise<{ state: RecoveryState }> =>
    recoveries.read(recoveryId),
  decideRecovery: (decision: RecoveryDecision & { at: number }): Promise<DecisionOutcome> => decide(decision),
  readyRecovery: (request: { recoveryId: string; at: number; completionMs: number }): Promise<ReadyOutcome> =>
    recoveries.ready(request),
  /** In one transaction: every factor and recovery code, every session and remembered device. */
  completeRecovery: (completion: RecoveryCompletion & { at: number }): Promise<CompletionOutcome> =>
    completions.complete(completion),
  expireRecovery: (request: { recoveryId: string; at: number }): Promise<ExpiredRecovery> => recoveries.expire(request),
});
export type AccountRecoveryActivities = ReturnType<typeof createAccountRecoveryActivities>;
