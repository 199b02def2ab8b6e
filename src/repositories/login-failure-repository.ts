import type { Database } from './prisma-client';
import type { Sql } from './sql';

export type LoginFailureKey = Uint8Array<ArrayBuffer>;

/** Failed logins in a row of one kind. */
export interface LoginFailures {
  readonly count: number;
  readonly lastFailedAt: Date;
}

/** Failed logins by HMACs of what they have in common, and the devices of an account that have logged in. */
export interface LoginFailureRepository {
  /** Counts one more under each key, which is remembered until `expiresAt`. */
  add(keys: readonly LoginFailureKey[], expiresAt: Date): Promise<void>;
  clear(keys: readonly LoginFailureKey[]): Promise<void>;
  rememberDevice(userId: string, deviceIndex: LoginFailureKey): Promise<void>;
  forgetDevice(userId: string, deviceIndex: LoginFailureKey): Promise<void>;
}

/**
 * One statement: failures in a row that come at the same time are all counted. What has expired begins anew. Each failure also
 * removes some expired ones of anybody, more than it adds, so that guesses at random names do not pile up.
 */
const ADD = {
  name: 'login-failure/add',
  text: `
    WITH expired AS (
      DELETE FROM login_failures WHERE key IN (
        SELECT key FROM login_failures WHERE expires_at <= $2 AND key <> ALL($1::bytea[])
        ORDER BY expires_at LIMIT 5 FOR UPDATE SKIP LOCKED
      )
    )
    INSERT INTO login_failures AS f (key, failures, last_failed_at, expires_at)
    SELECT key, 1, $2, $3 FROM unnest($1::bytea[]) AS k(key) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN f.expires_at <= $2 THEN 1 ELSE f.failures + 1 END,
      last_failed_at = $2, expires_at = $3`,
};

const CLEAR = { name: 'login-failure/clear', text: `DELETE FROM login_failures WHERE key = ANY($1::bytea[])` };

/** Written again once a day at most: it says when a device was last seen, to the day. */
const REMEMBER = {
  name: 'known-device/remember',
  text: `
    INSERT INTO known_devices AS d (user_id, device_index, created_at, last_used_at) VALUES ($1, $2, $3, $3)
    ON CONFLICT (user_id, device_index) DO UPDATE SET last_used_at = $3
    WHERE d.last_used_at < $3::timestamptz - interval '1 day'`,
};

const FORGET = {
  name: 'known-device/forget',
  text: `DELETE FROM known_devices WHERE user_id = $1 AND device_index = $2`,
};

/** Failures under these keys are forgotten, in the caller's transaction. */
export const clearLoginFailures = async (sql: Sql, keys: readonly LoginFailureKey[]): Promise<void> => {
  if (keys.length > 0) await sql(CLEAR, [keys]);
};

export const createLoginFailureRepository = ({ sql }: Pick<Database, 'sql'>): LoginFailureRepository => ({
  async add(keys, expiresAt) {
    await sql(ADD, [keys, new Date(), expiresAt]);
  },
  clear: (keys) => clearLoginFailures(sql, keys),
  async rememberDevice(userId, deviceIndex) {
    await sql(REMEMBER, [userId, deviceIndex, new Date()]);
  },
  async forgetDevice(userId, deviceIndex) {
    await sql(FORGET, [userId, deviceIndex]);
  },
});
