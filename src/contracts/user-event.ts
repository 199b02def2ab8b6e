import { z } from 'zod';

import type { AuditAction } from './audit';

/** What the audit trail records that people are told of their own account as it happens; by the names that it has there. */
export const TOLD_ACTIONS = [
  'registration.completed',
  'session.opened',
  'session.stepped_up',
  'refresh_token.reused',
  'mfa.factor_added',
  'mfa.factor_removed',
  'mfa.recovery_codes_renewed',
  'mfa.recovery_requested',
  'mfa.recovery_approved',
  'mfa.recovery_denied',
  'mfa.recovery_cancelled',
  'mfa.recovery_completed',
  'mfa.recovery_expired',
  'device.remembered',
  'device.forgotten',
  'password.changed',
  'password.reset',
  'user.profile_changed',
  'user.email_changed',
  'user.phone_changed',
  'role.granted',
  'role.revoked',
  'account.erasure_requested',
  'account.erasure_cancelled',
] as const satisfies readonly AuditAction[];

/** Acts that can end sessions; one `session.ended` is told for each of those. */
export const ENDING_ACTIONS: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'session.ended',
  'sessions.ended',
  'refresh_token.reused',
  'password.changed',
  'password.reset',
  'mfa.recovery_completed',
  'user.email_changed',
  'user.locked',
  'user.sessions_revoked',
  'account.erasure_begun',
]);

/** Acts that can change the roles which the account's tokens may claim; those that need a second factor go with it. */
export const ROLE_ACTIONS: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'role.granted',
  'role.revoked',
  'mfa.factor_added',
  'mfa.factor_removed',
  'mfa.recovery_completed',
]);

export const USER_EVENT_TYPES = ['session.ended', ...TOLD_ACTIONS] as const;

/** `data` of one server-sent event; its `event` is `type`, its `id` what `Last-Event-ID` resumes after. */
export const userEventSchema = z.object({
  type: z.enum(USER_EVENT_TYPES),
  occurredAt: z.iso.datetime(),
  /** The session that it is about, if it is about one. */
  sessionId: z.uuid().optional(),
  /** Why a session has ended, such as `LOGOUT` or `PASSWORD_CHANGED`. */
  reason: z.string().optional(),
  factorId: z.uuid().optional(),
});
export type UserEvent = z.output<typeof userEventSchema>;
