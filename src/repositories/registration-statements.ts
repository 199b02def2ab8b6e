import type { Registration as RegistrationRow } from '../generated/prisma/client';

import { insertAuditEvents } from './audit-trail';

/** A row as the statements read it; the columns bear the names of Prisma's fields. */
export type OpenRow = Pick<
  RegistrationRow,
  | 'id'
  | 'workflowId'
  | 'personId'
  | 'status'
  | 'kind'
  | 'profileCiphertext'
  | 'passwordHashCiphertext'
  | 'codeHash'
  | 'codesIssued'
  | 'failedAttempts'
  | 'lastAttemptId'
  | 'lastIssuedAt'
  | 'lastResendId'
  | 'expiresAt'
  | 'userId'
>;
const OPEN_ROW = `id, workflow_id AS "workflowId", person_id AS "personId", status::text, kind::text, profile_ciphertext AS "profileCiphertext",
  password_hash_ciphertext AS "passwordHashCiphertext", code_hash AS "codeHash", codes_issued AS "codesIssued",
  failed_attempts AS "failedAttempts", last_attempt_id AS "lastAttemptId", last_issued_at AS "lastIssuedAt",
  last_resend_id AS "lastResendId", expires_at AS "expiresAt", user_id AS "userId"`;

export const FIND = {
  name: 'registration/find',
  text: `
    SELECT workflow_id AS "workflowId", status::text, expires_at AS "expiresAt", kind::text,
      last_attempt_id AS "lastAttemptId", last_resend_id AS "lastResendId", user_id AS "userId", closed_at AS "closedAt"
    FROM registrations WHERE id = $1`,
};
export const FIND_OPEN = {
  name: 'registration/find-open',
  text: `SELECT ${OPEN_ROW} FROM registrations WHERE id = $1`,
};
export const FIND_PASSWORD_HASHES = {
  name: 'registration/find-password-hashes',
  text: `
    SELECT workflow_id AS "workflowId", person_id AS "personId", password_hash_ciphertext AS "passwordHashCiphertext" FROM registrations
    WHERE email_index = $1 AND kind = 'SIGN_UP' AND password_hash_ciphertext IS NOT NULL`,
};

export const LOCK_ADDRESS = { name: 'registration/lock-address', text: 'SELECT pg_advisory_xact_lock($1)' };

/** Who owns the address or another detail; a null index belongs to nobody. */
const takenBy = (email: string, phone: string, faydaId: string): string => `
  WHEN EXISTS (SELECT 1 FROM users WHERE email_index = ${email}) THEN 'ADDRESS_TAKEN'
  WHEN EXISTS (SELECT 1 FROM users WHERE phone_index = ${phone}) THEN 'DETAILS_TAKEN'
  WHEN EXISTS (SELECT 1 FROM users WHERE fayda_id_index = ${faydaId}) THEN 'DETAILS_TAKEN'`;

/** Classifies and stores. The caller holds the address's lock, so the count is exact. */
export const CREATE_PENDING = {
  name: 'registration/create-pending',
  text: `
    INSERT INTO registrations (id, workflow_id, kind, email_index, profile_ciphertext, password_hash_ciphertext,
      code_hash, last_issued_at, created_at, locale, expires_at, person_id)
    SELECT $1, $2, kind::registration_kind, $3, $4, $5, CASE WHEN kind = 'SIGN_UP' THEN $6::bytea END, $7, $7, $8, $9, $14
    FROM (
      SELECT CASE
        WHEN (
          SELECT count(*) FROM registrations WHERE email_index = $3 AND created_at > $13 AND kind <> 'MUTED'
        ) >= $10::int THEN 'MUTED'
        ${takenBy('$3', '$11', '$12')}
        ELSE 'SIGN_UP'
      END AS kind
    ) AS classified
    ON CONFLICT (id) DO NOTHING`,
};

/** Serialises everything that happens to one registration. */
export const HOLD = {
  name: 'registration/hold',
  text: `SELECT ${OPEN_ROW} FROM registrations WHERE id = $1 FOR UPDATE`,
};
/** What closing drops. */
const DROPPED = 'email_index = NULL, profile_ciphertext = NULL, password_hash_ciphertext = NULL, code_hash = NULL';

/** The last statement of its transaction: it holds the audit chain. */
export const COMPLETE = {
  name: 'registration/complete',
  text: `
    WITH audited AS (${insertAuditEvents('$5')})
    UPDATE registrations SET status = 'COMPLETED', closed_at = $2, user_id = $3, last_attempt_id = $4,
      ${DROPPED}
    WHERE id = $1`,
};
export const COUNT_WRONG_ATTEMPT = {
  name: 'registration/count-wrong-attempt',
  text: 'UPDATE registrations SET failed_attempts = failed_attempts + 1, last_attempt_id = $2 WHERE id = $1',
};
export const TURN_INTO_DECOY = {
  name: 'registration/turn-into-decoy',
  text: `
    UPDATE registrations SET code_hash = NULL,
      kind = (CASE ${takenBy('$2', '$3', '$4')} ELSE 'DETAILS_TAKEN' END)::registration_kind
    WHERE id = $1`,
};
export const REISSUE_CODE = {
  name: 'registration/reissue-code',
  text: `
    UPDATE registrations SET codes_issued = $2, code_hash = $3, last_issued_at = $4, last_resend_id = $5, failed_attempts = 0
    WHERE id = $1`,
};
/** What the workflow's history holds of somebody who never had an account is noise from then on: their key goes as well. */
export const EXPIRE = {
  name: 'registration/expire',
  text: `
    WITH expired AS (
      UPDATE registrations SET status = 'EXPIRED', closed_at = $2, ${DROPPED}
      WHERE id = $1 AND status = 'VERIFICATION_PENDING' RETURNING person_id
    )
    DELETE FROM person_keys USING expired WHERE person_keys.person_id = expired.person_id`,
};
