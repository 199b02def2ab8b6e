import { defineUpdate } from '@temporalio/workflow';

import type { FieldLocation } from './data-protection';
import type { Ending } from './ending-workflow';

export const CONTACT_CHANGE_WORKFLOW = 'contactChange';

/** What an account is reached by, and what proves it: an SMS or a mail. */
export type ContactChannel = 'phone' | 'email';

/** One for each account and channel: who asks again meanwhile is heard by it. */
export const contactChangeWorkflowId = (channel: ContactChannel, userId: string): string =>
  `${channel}-change/${userId}`;

export interface ContactChangeInput {
  readonly channel: ContactChannel;
  readonly userId: string;
  /** A code works for so long, milliseconds. */
  readonly expiresInMs: number;
}

/** Somebody asks for a code. The number or address never enters Temporal in the clear, not even under the codec. */
export interface ContactRequest {
  /** The same when the request is repeated. */
  readonly changeId: string;
  /** Blind index, hex. */
  readonly contactIndex: string;
  /** See `contactLocation`. */
  readonly contactCiphertext: string;
}

/** The newest code of a change. Times are milliseconds since 1970. */
export interface OpenContactChange {
  readonly changeId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type ContactRequestOutcome =
  | ({ readonly outcome: 'issued' } & OpenContactChange)
  | { readonly outcome: 'too_soon' | 'limit_reached' | 'channel_exhausted'; readonly retryAfterMs: number }
  /** The account is not active any more. */
  | { readonly outcome: 'closed' };

export interface ContactAttempt {
  readonly code: string;
  /** The same when the attempt is repeated. */
  readonly attemptId: string;
  /** The session that goes on. */
  readonly sessionId: string;
  /** Where the attempt came from; see `contactOriginLocation`. */
  readonly originCiphertext: string;
}

export type ContactAttemptOutcome =
  | {
      readonly outcome: 'changed';
      /** False where the account had this very contact before: it is proven now, and nobody needs to be told. */
      readonly differs: boolean;
      /** Whether there was another one before. */
      readonly hadPrevious: boolean;
      /** The account that had the number without having proven it, and lost it. */
      readonly releasedUserId?: string | undefined;
    }
  | { readonly outcome: 'invalid_code' | 'too_many_attempts' }
  | { readonly outcome: 'cooling_off'; readonly retryAfterMs: number };

export type ContactChangeResult = 'completed' | 'expired';

/** Asks for a code; one `changeId` is one code, however often it is sent. */
export const contactRequestUpdate = defineUpdate<ContactRequestOutcome | Ending, [request: ContactRequest]>('request');
/** Tries a code; the update's id makes a repeated delivery the same try. */
export const contactConfirmUpdate = defineUpdate<ContactAttemptOutcome, [attempt: ContactAttempt]>('confirm');

/** One account is sent a code at most so often, milliseconds. */
export const CONTACT_RESEND_INTERVAL_MS = 60_000;

/** What is said of a change, and to whom: the code to the new contact, word that one was asked for, and of the change, to both. */
export type ContactMessage = 'code' | 'requested' | 'changed_old' | 'changed_new';
export interface ContactMessageInput {
  readonly changeId: string;
  readonly message: ContactMessage;
}

export const CONTACT_NOTICE_WORKFLOW = 'contactNotice';

/** What people are to be told of a change, apart from the change itself: a gateway that is away must not hold the next one up. */
export interface ContactNoticeInput {
  readonly channel: ContactChannel;
  readonly changeId: string;
  readonly messages: readonly ContactMessage[];
  /** Notices by the queue. */
  readonly owners: readonly { readonly name: 'phone:changed' | 'phone:released'; readonly userId: string }[];
  /** Whether the contact that is kept for the messages is to be dropped after them. */
  readonly isLast: boolean;
}

export const contactLocation = (changeId: string, userId: string): FieldLocation => ({
  table: 'contact_changes',
  column: 'contact_ciphertext',
  rowId: changeId,
  personId: userId,
});
export const contactOriginLocation = (userId: string): FieldLocation => ({
  table: 'contact_changes',
  column: 'origin_ciphertext',
  rowId: userId,
  personId: userId,
});
