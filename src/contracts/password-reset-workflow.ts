import { defineSignal, defineUpdate } from '@temporalio/workflow';

import type { FieldLocation } from './data-protection';

export const PASSWORD_RESET_WORKFLOW = 'passwordReset';

/** A reset that goes on in a new run, because the history of the old one had become long. */
export interface OpenReset {
  readonly resetId: string;
  /** Number of the newest mail. */
  readonly issue: number;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface PasswordResetInput {
  /** Blind index of the address, hex: whether anybody has it is found by an activity. */
  readonly emailIndex: string;
  /** A link works for so long, milliseconds. */
  readonly expiresInMs: number;
  readonly open?: OpenReset | undefined;
}

export type PasswordResetResult = 'completed' | 'expired';

/** A mail was granted, or it was not: nobody has the address, it had too many mails, or the newest is not a minute old. */
export type ReissueOutcome =
  | { readonly outcome: 'issued'; readonly issue: number; readonly issuedAt: number; readonly expiresAt: number }
  | { readonly outcome: 'silent' | 'closed' };

/** The new password, only as its encrypted hash (see `resetPasswordHashLocation`); the token never enters Temporal. */
export interface NewPassword {
  readonly resetId: string;
  /** Number of the mail whose token was shown. */
  readonly issue: number;
  readonly passwordHashCiphertext: string;
  /** Failed logins that the owner of the mailbox is no longer held up by: their keys (HMACs), hex. */
  readonly loginFailureKeys?: readonly string[] | undefined;
}
export type ResetOutcome =
  { readonly outcome: 'reset'; readonly userId: string } | { readonly outcome: 'invalid_reset_token' };

/** Somebody asks for a mail: the first one, or another. */
export const requestSignal = defineSignal('request');
/** Sets the new password; the update's id makes a repeated delivery the same attempt. */
export const resetUpdate = defineUpdate<ResetOutcome, [password: NewPassword]>('reset');

/** The same link again within this time is one mail, milliseconds. */
export const RESET_RESEND_INTERVAL_MS = 60_000;

export const resetPasswordHashLocation = (resetId: string, userId: string): FieldLocation => ({
  table: 'password_resets',
  column: 'password_hash_ciphertext',
  rowId: resetId,
  personId: userId,
});
