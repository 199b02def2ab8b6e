/** Serialises what one account asks for, and keeps the lock order: account, then its codes. */
export const HOLD_ACCOUNT = {
  name: 'factor-code/hold-account',
  text: `
    SELECT email_index, phone_index, phone_verified_at, phone_changed_at,
      EXISTS (SELECT 1 FROM factors WHERE user_id = $1 AND type = $2::factor_type) AS has_factor
    FROM users WHERE id = $1 AND status = 'ACTIVE' FOR NO KEY UPDATE`,
};
export const FIND = {
  name: 'factor-code/find',
  text: 'SELECT expires_at FROM factor_codes WHERE id = $1 AND user_id = $2',
};
/** $1 account, $2 type, $3 contact, $4 start of the day, $5 start of the hour. SMS are counted with those that prove a phone. */
export const READ_STANDING = {
  name: 'factor-code/read-standing',
  text: `
    SELECT own.*, sent.*, CASE WHEN $2 = 'SMS_OTP' THEN
        (SELECT count(*)::int FROM factor_codes WHERE type = 'SMS_OTP' AND created_at > $4) +
        (SELECT count(*)::int FROM contact_changes WHERE channel = 'PHONE' AND created_at > $4 AND kind <> 'MUTED')
      ELSE 0 END AS of_sms
    FROM
      (SELECT max(created_at) AS last_at, min(created_at) AS oldest_of_day, count(*)::int AS of_day,
         min(created_at) FILTER (WHERE created_at > $5) AS oldest_of_hour,
         count(*) FILTER (WHERE created_at > $5)::int AS of_hour
       FROM factor_codes WHERE user_id = $1 AND type = $2::factor_type AND created_at > $4) AS own,
      (SELECT count(*)::int AS of_contact FROM factor_codes WHERE contact_index = $3 AND created_at > $5) AS sent`,
};
export const REPLACE = {
  name: 'factor-code/replace',
  text: `
    UPDATE factor_codes SET code_hash = NULL
    WHERE user_id = $1 AND type = $2::factor_type AND purpose = $3::factor_code_purpose AND bound_to = $4`,
};
/** What no longer counts for a limit. */
export const FORGET = {
  name: 'factor-code/forget',
  text: 'DELETE FROM factor_codes WHERE user_id = $1 AND type = $2::factor_type AND created_at <= $3',
};
export const INSERT = {
  name: 'factor-code/insert',
  text: `
    INSERT INTO factor_codes (id, user_id, type, purpose, bound_to, contact_index, code_hash, created_at, expires_at)
    VALUES ($1, $2, $3::factor_type, $4::factor_code_purpose, $5, $6, $7, $8, $9)`,
};
export const WITHDRAW = { name: 'factor-code/withdraw', text: 'DELETE FROM factor_codes WHERE id = $1' };

/** The contact that the code went to is still the account's, and the factor (but while it is enrolled) as well. */
const STILL_GOOD = `
  c.code_hash IS NOT NULL AND u.status = 'ACTIVE'
  AND c.contact_index = CASE WHEN c.type = 'EMAIL_OTP' THEN u.email_index ELSE u.phone_index END
  AND (c.purpose = 'ENROLLMENT' OR EXISTS (SELECT 1 FROM factors f WHERE f.user_id = c.user_id AND f.type = c.type))`;
/** Who comes second waits, and then finds it used. */
export const FIND_OPEN = {
  name: 'factor-code/find-open',
  text: `
    SELECT c.id, c.code_hash FROM factor_codes c JOIN users u ON u.id = c.user_id
    WHERE c.user_id = $1 AND c.type = $2::factor_type AND c.purpose = $3::factor_code_purpose AND c.bound_to = $4
      AND c.expires_at > $5 AND ${STILL_GOOD}
    FOR UPDATE OF c`,
};
export const COUNT_WRONG = {
  name: 'factor-code/count-wrong',
  text: `
    UPDATE factor_codes SET failed_attempts = failed_attempts + 1,
      code_hash = CASE WHEN failed_attempts + 1 >= $2::int THEN NULL ELSE code_hash END
    WHERE id = $1`,
};
export const USE = { name: 'factor-code/use', text: 'UPDATE factor_codes SET code_hash = NULL WHERE id = $1' };
export const FIND_FOR_MESSAGE = {
  name: 'factor-code/find-for-message',
  text: `
    SELECT c.user_id, c.expires_at, u.locale,
      CASE WHEN c.type = 'EMAIL_OTP' THEN u.email_ciphertext END AS email_ciphertext,
      CASE WHEN c.type = 'SMS_OTP' THEN u.phone_ciphertext END AS phone_ciphertext
    FROM factor_codes c JOIN users u ON u.id = c.user_id
    WHERE c.id = $1 AND c.expires_at > $2 AND ${STILL_GOOD}`,
};
