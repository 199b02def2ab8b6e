import { defineUpdate } from '@temporalio/workflow';

import type { FieldLocation } from './data-protection';
import type { Locale } from './locale';

export const REGISTRATION_WORKFLOW = 'registration';

/** What a person asked for, without the password. */
export interface RegistrationProfile {
  readonly email: string;
  readonly phone?: string | undefined;
  readonly faydaId?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly locale: Locale;
  readonly consents: readonly { readonly purpose: string; readonly version: string }[];
}

/**
 * The same as it crosses Temporal: encrypted for the person and for their row, so that who may decode histories reads
 * nothing of it, and nobody does once the person is erased.
 */
export interface RegistrationSubmission {
  /** Chosen by whoever asked; the id of the account that it may become. */
  readonly personId: string;
  /** Their secret (see `personSecretLocation`), where the database was away when they asked: it is stored with the rest. */
  readonly personSecretCiphertext?: string | undefined;
  /** JSON of a `RegistrationProfile` (see `registrationLocations`). */
  readonly profileCiphertext: string;
  /** Argon2id in PHC format (see `registrationLocations`). */
  readonly passwordHashCiphertext: string;
}

/** Where a secret belongs that could not be stored yet. */
export const personSecretLocation = (personId: string): FieldLocation => ({
  table: 'person_keys',
  column: 'secret',
  rowId: personId,
});

/** Where the parts of an open registration belong: its row has no id yet when they are encrypted, but a workflow. */
export const registrationLocations = (workflowId: string, personId: string) => {
  const location = (column: string): FieldLocation => ({ table: 'registrations', column, rowId: workflowId, personId });
  return { profile: location('profile_ciphertext'), passwordHash: location('password_hash_ciphertext') };
};

export interface RegistrationInput {
  readonly submission: RegistrationSubmission;
  /** Milliseconds from the start of the run. */
  readonly expiresInMs: number;
}

export type RegistrationResult = 'completed' | 'expired';

export type VerifyOutcome =
  | { readonly outcome: 'activated'; readonly userId: string }
  | { readonly outcome: 'invalid_code' | 'too_many_attempts' | 'already_completed' | 'expired' };

export type ResendOutcome =
  | { readonly outcome: 'issued'; readonly issue: number }
  | { readonly outcome: 'too_soon'; readonly retryAfterMs: number }
  | { readonly outcome: 'limit_reached' | 'already_completed' | 'expired' };

/** One try of a code. */
export interface VerifyAttempt {
  readonly code: string;
  /** Whoever comes with the same one is the same try. */
  readonly attemptId: string;
  /** For the audit trail: the service that called for the person, where one did. */
  readonly callingService?: string | undefined;
}

/** Tries a code; the update's id makes a repeated delivery the same try. */
export const verifyUpdate = defineUpdate<VerifyOutcome, [code: string, callingService?: string]>('verify');
/** Asks for a new code. */
export const resendUpdate = defineUpdate<ResendOutcome>('resend');

/**
 * When a registration expires: the time in its id (a UUIDv7, RFC 9562, whose first 48 bits are Unix milliseconds) plus the
 * life of a registration. Whoever knows the id computes the same instant, before anything is stored. A Temporal whose run ids
 * tell no time (older servers, its test server) lets it begin now.
 */
export const registrationExpiry = (registrationId: string, expiresInMs: number): Date => {
  const tellsTime = registrationId[14] === '7';
  const begin = tellsTime ? Number.parseInt(registrationId.replaceAll('-', '').slice(0, 12), 16) : Date.now();
  return new Date(begin + expiresInMs);
};
