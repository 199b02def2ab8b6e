/**
 * Everything that the audit trail records, by the capability that it belongs to. An action never changes its name: events
 * are kept for years, and are looked for by it.
 */
export const AUDIT_ACTIONS = [
  'registration.completed',
  'session.opened',
  'session.ended',
  'sessions.ended',
  'login.failed',
  'refresh_token.reused',
  'password.changed',
  'password.change_failed',
  'password.reset',
  'mfa.factor_added',
  'mfa.factor_removed',
  'mfa.enrollment_failed',
  'mfa.recovery_codes_renewed',
  'mfa.code_requested',
  'passkey.suspected',
  'session.stepped_up',
  'session.step_up_failed',
  'mfa.recovery_requested',
  'mfa.recovery_approved',
  'mfa.recovery_denied',
  'mfa.recovery_cancelled',
  'mfa.recovery_failed',
  'mfa.recovery_completed',
  'mfa.recovery_expired',
  'recoveries.listed',
  'recovery.read',
  'device.remembered',
  'device.recognised',
  'device.forgotten',
  'user.profile_changed',
  'user.phone_change_requested',
  'user.phone_change_failed',
  'user.phone_changed',
  'user.phone_released',
  'user.email_change_requested',
  'user.email_change_failed',
  'user.email_changed',
  'account.erasure_requested',
  'account.erasure_cancelled',
  'account.erasure_begun',
  'account.erased',
  'data.export_requested',
  'data.exported',
  'data.downloaded',
  'consent.given',
  'consent.withdrawn',
  'access.denied',
  'users.listed',
  'user.read',
  'user.locked',
  'user.unlocked',
  'user.sessions_revoked',
  'role.granted',
  'role.revoked',
  'audit.read',
  'audit.verified',
  'workflow.decoded',
  'data.refused',
  'data_key.activated',
  'data_key.retired',
  'audit.pruned',
  'retention.applied',
  'data_key.rewrapped',
  'key_store.backed_up',
  'key_store.restored',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/**
 * Who acted: a `user` with an account (administrators too), `anonymous` where nobody has proven who they are, the `service`
 * itself, or an `operator` with a command on the machine.
 */
export const AUDIT_ACTOR_KINDS = ['user', 'anonymous', 'service', 'operator'] as const;
export type AuditActor =
  { readonly kind: 'user'; readonly id: string } | { readonly kind: 'anonymous' | 'service' | 'operator' };

/** `denied`: the actor was known and had no right to it; `failure`: it did not come about for another reason. */
export const AUDIT_OUTCOMES = ['success', 'failure', 'denied'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Where a request came from. It is personal data: stored encrypted, never logged. */
export interface RequestOrigin {
  readonly requestId: string;
  /** Address of the client. */
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Chosen by the client, the same for all logins from one device. */
  readonly deviceId?: string | undefined;
  /** The service that called for the client. No personal data: it stands in the details of the event, in the clear. */
  readonly callingService?: string | undefined;
}

/** Ids, names and counts only: details are stored in the clear. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface NewAuditEvent {
  readonly action: AuditAction;
  /** `success` if not told otherwise. */
  readonly outcome?: AuditOutcome;
  readonly actor: AuditActor;
  /** The account that it was done to, if it was done to one. */
  readonly subjectId?: string | undefined;
  readonly origin?: RequestOrigin | undefined;
  readonly workflowId?: string | undefined;
  readonly details?: AuditDetails | undefined;
}

/** Proves that an event is the service's own. */
export interface AuditSeal {
  /** Seals the canonical text of an event. */
  seal(content: string): Promise<string>;
  isGenuine(seal: string, content: string): Promise<boolean>;
}
