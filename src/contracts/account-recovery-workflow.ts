import { defineSignal, defineUpdate } from '@temporalio/workflow';

import type { FieldLocation } from './data-protection';
import type { Ending } from './ending-workflow';

export const ACCOUNT_RECOVERY_WORKFLOW = 'accountRecovery';
export const RECOVERY_NOTICE_WORKFLOW = 'accountRecoveryNotice';

/** One running recovery for each account. */
export const accountRecoveryWorkflowId = (userId: string): string => `account-recovery/${userId}`;

/** Ids and times only: tokens and the password never enter Temporal. Times are milliseconds. */
export interface AccountRecoveryInput {
  readonly userId: string;
  /** The owner has so long to object. */
  readonly waitMs: number;
  /** After it, support has so long to approve. */
  readonly approvalMs: number;
  /** The mailed link that completes it works for so long. */
  readonly completionMs: number;
}

export type RecoveryState = 'WAITING' | 'READY' | 'COMPLETED' | 'CANCELLED' | 'DENIED' | 'EXPIRED';
export type AccountRecoveryResult = Exclude<RecoveryState, 'WAITING' | 'READY'> | 'REFUSED';

export interface RecoveryBegin {
  /** The same when the request is repeated. */
  readonly recoveryId: string;
  /** Of the password that was shown: with another one it leads nowhere. Milliseconds since 1970. */
  readonly passwordChangedAt: number;
  /** See `recoveryDeviceLocation` and `recoveryOriginLocation`. */
  readonly deviceCiphertext: string;
  readonly originCiphertext: string;
}
export interface OpenRecovery {
  readonly recoveryId: string;
  readonly state: 'WAITING' | 'READY';
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly availableAt: number;
}
export type BeginOutcome =
  | ({ readonly outcome: 'open' } & OpenRecovery)
  | { readonly outcome: 'too_early'; readonly retryAfterMs: number }
  /** The account or its password is another one. */
  | { readonly outcome: 'closed' };

export interface RecoveryDecision {
  readonly recoveryId: string;
  readonly approverId: string;
  readonly act: 'approve' | 'deny';
  readonly evidence?: string | undefined;
  /** Note or reason, for the audit trail. */
  readonly note?: string | undefined;
  readonly originCiphertext: string;
}
export type DecisionOutcome =
  { readonly outcome: 'approved' | 'denied' | 'closed' } | { readonly outcome: 'refused'; readonly code: string };

export interface RecoveryCompletion {
  readonly recoveryId: string;
  /** Of the password that was shown with the token. Milliseconds since 1970. */
  readonly passwordChangedAt: number;
  /** The same when the request is repeated. */
  readonly attemptId: string;
  readonly originCiphertext: string;
}
export interface CompletionOutcome {
  readonly outcome: 'completed' | 'invalid_recovery_token';
}

export const beginRecoveryUpdate = defineUpdate<BeginOutcome | Ending, [begin: RecoveryBegin]>('begin');
export const decideRecoveryUpdate = defineUpdate<DecisionOutcome, [decision: RecoveryDecision]>('decide');
export const completeRecoveryUpdate = defineUpdate<CompletionOutcome, [completion: RecoveryCompletion]>('complete');
/** The database knows something new: the owner has cancelled. */
export const recoveryChangedSignal = defineSignal('changed');

/** What people are told, by mail and by SMS to a proven phone. */
export type RecoveryMessage =
  'requested' | 'reminder-1' | 'reminder-2' | 'ready' | 'completed' | 'cancelled' | 'denied' | 'expired';
export interface RecoveryNotice {
  readonly recoveryId: string;
  readonly message: RecoveryMessage;
}

export const recoveryDeviceLocation = (recoveryId: string, userId: string): FieldLocation => ({
  table: 'account_recoveries',
  column: 'device_ciphertext',
  rowId: recoveryId,
  personId: userId,
});
/** Of whoever asks, approves or completes. */
export const recoveryOriginLocation = (recoveryId: string, actorId: string): FieldLocation => ({
  table: 'account_recoveries',
  column: 'origin_ciphertext',
  rowId: recoveryId,
  personId: actorId,
});
