/** What a period is configured by, see `RETENTION_…`. */
export type RetentionPeriod =
  | 'leftovers'
  | 'registrations'
  | 'sessions'
  | 'steps'
  | 'recoveries'
  | 'knownDevices'
  | 'deliveries'
  | 'notices'
  | 'audit';

/** Milliseconds for each period. */
export type RetentionPeriods = Readonly<Record<RetentionPeriod, number>>;

/** How long one kind of data is kept, and why so long. */
export interface RetentionPolicy {
  readonly period: RetentionPeriod;
  /** What the operator reads in the Temporal UI. */
  readonly summary: string;
  readonly reason: string;
}

/**
 * Everything that goes by time alone. What is not here stays with its account and goes with it. Read by the workflow, and by the
 * test of the records of processing (docs/compliance/processing-records.json).
 */
export const RETENTION_POLICIES = {
  'abandoned-registrations': {
    period: 'leftovers',
    summary: 'Registrations whose own workflow did not close them',
    reason: 'Nobody proved the address in time: there is no purpose left for what was entered.',
  },
  registrations: {
    period: 'registrations',
    summary: 'Closed registrations',
    reason: 'Who registered can ask how it ended; what was entered was dropped when it closed.',
  },
  'person-keys': {
    period: 'registrations',
    summary: 'Secrets of persons who registered twice at once, or never were stored',
    reason: 'Nothing is encrypted with them but what a workflow was never asked for.',
  },
  sessions: {
    period: 'sessions',
    summary: 'Sessions that have ended',
    reason: 'To look into a login that its owner disputes, and to know a device again.',
  },
  'password-resets': {
    period: 'steps',
    summary: 'Password resets',
    reason: 'To look into an account that was taken over; limits count an hour.',
  },
  'contact-texts': {
    period: 'leftovers',
    summary: 'Phones and addresses of changes that are over',
    reason: 'Everybody has been told: only the blind index still counts for a limit.',
  },
  'contact-changes': {
    period: 'steps',
    summary: 'Changes of phone and address',
    reason: 'To look into an account that was taken over; high-risk acts wait after a change.',
  },
  'mfa-enrollments': {
    period: 'steps',
    summary: 'Enrolments of second factors',
    reason: 'To look into an account that was taken over; the secret was dropped when it closed.',
  },
  'factor-codes': { period: 'steps', summary: 'Codes of second factors', reason: 'Limits count a day.' },
  'recovery-codes': {
    period: 'steps',
    summary: 'Recovery codes that were used',
    reason: 'To look into a login that its owner disputes.',
  },
  'data-exports': {
    period: 'leftovers',
    summary: 'Copies of all that is held about a person',
    reason: 'It was there to be downloaded for a day.',
  },
  'login-challenges': {
    period: 'leftovers',
    summary: 'Logins without their second half',
    reason: 'They open nothing.',
  },
  'passkey-challenges': { period: 'leftovers', summary: 'Challenges of passkeys', reason: 'They open nothing.' },
  'remembered-devices': { period: 'leftovers', summary: 'Remembered devices', reason: 'They are remembered no more.' },
  'account-recoveries': {
    period: 'recoveries',
    summary: 'Account recoveries',
    reason: 'Who approved it, and how often one was tried: fraud comes to light late.',
  },
  'known-devices': {
    period: 'knownDevices',
    summary: 'Devices that were not used for long',
    reason: 'Failures of strangers do not delay a device that is known.',
  },
  'login-failures': { period: 'leftovers', summary: 'Failed logins', reason: 'They delay nobody any more.' },
  'idempotency-keys': { period: 'leftovers', summary: 'Remembered answers', reason: 'Nobody may repeat the request.' },
  'mail-deliveries': {
    period: 'deliveries',
    summary: 'What was mailed and sent by SMS',
    reason: 'That nothing goes out twice, and to show that somebody was told.',
  },
  notices: { period: 'notices', summary: 'Notices that nobody takes', reason: 'It is too late to tell.' },
  audit: {
    period: 'audit',
    summary: 'The oldest events of the audit trail',
    reason: 'Evidence in disputes and for the supervisor; counsel must confirm the period.',
  },
} as const satisfies Record<string, RetentionPolicy>;
export type RetentionPolicyName = keyof typeof RETENTION_POLICIES;
export const isRetentionPolicy = (name: string): name is RetentionPolicyName => Object.hasOwn(RETENTION_POLICIES, name);
