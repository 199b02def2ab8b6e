import { defineSignal, defineUpdate } from '@temporalio/workflow';

import type { Ending } from './ending-workflow';

export const ACCOUNT_ERASURE_WORKFLOW = 'accountErasure';

/** One running erasure for each account. */
export const accountErasureWorkflowId = (userId: string): string => `account-erasure/${userId}`;

/** Ids and times only: nothing of the person enters Temporal, since its histories outlive the account. */
export interface AccountErasureInput {
  readonly userId: string;
  /** The owner can take it back for so long, milliseconds. */
  readonly graceMs: number;
}

export type ErasureState = 'PENDING' | 'ERASING' | 'COMPLETED' | 'CANCELLED';
export type AccountErasureResult = 'COMPLETED' | 'CANCELLED' | 'REFUSED';

export interface PendingErasure {
  readonly erasureId: string;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly eraseAt: number;
}
export type BeginErasureOutcome =
  | ({ readonly outcome: 'pending' } & PendingErasure)
  /** There is no such active account; it is the last administrator. */
  | { readonly outcome: 'closed' | 'last_administrator' };

/** `erasureId`: the same when the request is repeated. */
export const beginErasureUpdate = defineUpdate<BeginErasureOutcome | Ending, [begin: { readonly erasureId: string }]>(
  'begin',
);
/** The database knows something new: the owner has taken it back. */
export const erasureChangedSignal = defineSignal('changed');

export type StartErasingOutcome =
  | { readonly outcome: 'erasing' | 'cancelled' }
  /** Support has locked the account, or it is the last administrator: it is looked at again later. */
  | { readonly outcome: 'held'; readonly why: 'locked' | 'last_administrator' };

export type ErasureMessage = 'requested' | 'reminder' | 'cancelled' | 'erasing';
export interface ErasureNotice {
  readonly erasureId: string;
  readonly message: ErasureMessage;
}

/** What Temporal holds of a person, by the names that it knows it by. */
export interface WorkflowTraces {
  readonly workflowIds: readonly string[];
  /** Blind indexes of the addresses that are known to be theirs, hex. */
  readonly emailIndexes: readonly string[];
}
