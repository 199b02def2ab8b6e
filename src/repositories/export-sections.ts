import type { ExportSection } from '../contracts/data-export';

/** An encrypted column among those that are read; the row's `rowId` says where it belongs. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly isJson?: true;
}
/** What one part of an export is read from. $1 is the person. */
export interface Section {
  readonly text: string;
  readonly sealed?: Readonly<Record<string, SealedColumn>>;
}

/** The newest of what can be many. */
const MANY = 10_000;
const device = (table: string) => ({ device: { table, column: 'device_ciphertext', isJson: true } as const });
const user = (column: string): SealedColumn => ({ table: 'users', column });
/** Ids of all that was written about to the person, as the keys of the mails have them. */
const SUBJECTS = `
  SELECT $1::uuid::text UNION SELECT id::text FROM registrations WHERE user_id = $1
  UNION SELECT id::text FROM sessions WHERE user_id = $1 UNION SELECT id::text FROM password_resets WHERE user_id = $1
  UNION SELECT id::text FROM contact_changes WHERE user_id = $1 UNION SELECT id::text FROM mfa_enrollments WHERE user_id = $1
  UNION SELECT id::text FROM factors WHERE user_id = $1 UNION SELECT id::text FROM factor_codes WHERE user_id = $1
  UNION SELECT id::text FROM recovery_codes WHERE user_id = $1 UNION SELECT id::text FROM account_recoveries WHERE user_id = $1
  UNION SELECT id::text FROM data_exports WHERE user_id = $1 UNION SELECT id::text FROM account_erasures WHERE user_id = $1`;

/** Everything about a person but secrets, hashes, blind indexes and the inner bookkeeping of processes. */
export const EXPORT_SECTIONS: Readonly<Record<ExportSection, Section>> = {
  profile: {
    text: `
      SELECT id AS "rowId", id, lower(status::text) AS status, email_ciphertext AS email, email_verified_at AS "emailVerifiedAt",
        phone_ciphertext AS phone, phone_verified_at AS "phoneVerifiedAt", phone_changed_at AS "phoneChangedAt",
        fayda_id_ciphertext AS "faydaId", first_name_ciphertext AS "firstName", last_name_ciphertext AS "lastName", locale,
        created_at AS "createdAt", updated_at AS "updatedAt" FROM users WHERE id = $1`,
    sealed: {
      ...{ email: user('email_ciphertext'), phone: user('phone_ciphertext'), faydaId: user('fayda_id_ciphertext') },
      ...{ firstName: user('first_name_ciphertext'), lastName: user('last_name_ciphertext') },
    },
  },
  roles: { text: `SELECT role::text, granted_at AS "grantedAt" FROM user_roles WHERE user_id = $1` },
  registrations: {
    text: `SELECT id, lower(status::text) AS status, created_at AS "createdAt", closed_at AS "closedAt" FROM registrations WHERE user_id = $1`,
  },
  consents: {
    text: `
      SELECT id AS "rowId", purpose, version, lower(act::text) AS act, lower(source::text) AS source, at, origin_ciphertext AS origin
      FROM consent_records WHERE user_id = $1 ORDER BY at DESC`,
    sealed: { origin: { table: 'consent_records', column: 'origin_ciphertext', isJson: true } },
  },
  password: {
    text: `SELECT created_at AS "createdAt", changed_at AS "changedAt" FROM password_credentials WHERE user_id = $1`,
  },
  factors: {
    text: `
      SELECT user_id AS "rowId", id, lower(type::text) AS factor, label_ciphertext AS label, confirmed_at AS "confirmedAt"
      FROM factors WHERE user_id = $1`,
    sealed: { label: { table: 'factors', column: 'label_ciphertext' } },
  },
  passkeys: {
    text: `
      SELECT factor_id AS "factorId", transports, aaguid, backup_eligible AS "backupEligible", backed_up AS "backedUp",
        last_used_at AS "lastUsedAt" FROM passkeys p JOIN factors f ON f.id = p.factor_id WHERE f.user_id = $1`,
  },
  recoveryCodes: {
    text: `SELECT created_at AS "createdAt", used_at AS "usedAt" FROM recovery_codes WHERE user_id = $1`,
  },
  sessions: {
    text: `
      SELECT id AS "rowId", id, created_at AS "createdAt", last_used_at AS "lastUsedAt", ended_at AS "endedAt",
        lower(ended_by::text) AS "endedBy", acr, amr, device_ciphertext AS device
      FROM sessions WHERE user_id = $1 ORDER BY created_at DESC LIMIT ${String(MANY)}`,
    sealed: device('sessions'),
  },
  knownDevices: {
    text: `SELECT created_at AS "createdAt", last_used_at AS "lastUsedAt" FROM known_devices WHERE user_id = $1`,
  },
  rememberedDevices: {
    text: `
      SELECT id AS "rowId", id, created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt",
        device_ciphertext AS device FROM remembered_devices WHERE user_id = $1`,
    sealed: device('remembered_devices'),
  },
  contactChanges: {
    text: `
      SELECT id AS "rowId", lower(channel::text) AS channel, lower(status::text) AS status, created_at AS "createdAt",
        closed_at AS "closedAt", contact_ciphertext AS contact, previous_ciphertext AS previous
      FROM contact_changes WHERE user_id = $1`,
    sealed: {
      contact: { table: 'contact_changes', column: 'contact_ciphertext' },
      previous: { table: 'contact_changes', column: 'previous_ciphertext' },
    },
  },
  passwordResets: {
    text: `SELECT lower(status::text) AS status, created_at AS "createdAt", closed_at AS "closedAt" FROM password_resets WHERE user_id = $1`,
  },
  enrollments: {
    text: `
      SELECT lower(type::text) AS factor, lower(status::text) AS status, created_at AS "createdAt", closed_at AS "closedAt"
      FROM mfa_enrollments WHERE user_id = $1`,
  },
  accountRecoveries: {
    text: `
      SELECT id AS "rowId", lower(status::text) AS status, requested_at AS "requestedAt", closed_at AS "closedAt",
        device_ciphertext AS device FROM account_recoveries WHERE user_id = $1`,
    sealed: device('account_recoveries'),
  },
  erasures: {
    text: `
      SELECT lower(status::text) AS status, requested_at AS "requestedAt", erase_at AS "eraseAt", closed_at AS "closedAt"
      FROM account_erasures WHERE user_id = $1`,
  },
  exports: {
    text: `SELECT lower(status::text) AS status, requested_at AS "requestedAt", expires_at AS "expiresAt" FROM data_exports WHERE user_id = $1`,
  },
  messages: {
    text: `
      SELECT split_part(key, '/', 1) AS message, sent_at AS "sentAt" FROM mail_deliveries
      WHERE split_part(key, '/', 2) IN (${SUBJECTS}) ORDER BY created_at DESC LIMIT ${String(MANY)}`,
  },
  // Who of staff did it, and from where, is not about the person.
  events: {
    text: `
      SELECT occurred_at AS "occurredAt", action, outcome,
        CASE WHEN actor_kind = 'user' AND actor_id <> $1 THEN 'staff' ELSE actor_kind END AS actor,
        CASE WHEN actor_id IS NULL OR actor_id = $1 THEN id END AS "rowId",
        CASE WHEN actor_id IS NULL OR actor_id = $1 THEN origin_ciphertext END AS origin
      FROM audit_events WHERE subject_id = $1 OR actor_id = $1 ORDER BY sequence DESC LIMIT ${String(MANY)}`,
    sealed: { origin: { table: 'audit_events', column: 'origin_ciphertext', isJson: true } },
  },
};
