import type { RequestOrigin } from '../contracts/audit';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

/** The password of an account, and what the policy must know of it. */
export interface PasswordCredential {
  readonly hash: string;
  readonly hasSecondFactor: boolean;
  readonly changedAt: Date;
  /** The repetition id of the request that set it, see `RouteRequest`. */
  readonly changedBy: string | undefined;
}

export interface PasswordChange {
  /** Of the notice to the owner; a UUID. */
  readonly changeId: string;
  readonly userId: string;
  /** The session that goes on. */
  readonly sessionId: string;
  readonly from: string;
  readonly to: string;
  readonly repetitionId: string | undefined;
  readonly origin: RequestOrigin;
}

export interface PasswordRepository {
  find(userId: string): Promise<PasswordCredential | undefined>;
  /**
   * Replaces a password that is still `from`, ends every other session, takes open reset links their power and leaves the
   * notice in the outbox.
   * False where it is another one by now.
   */
  change(change: PasswordChange): Promise<boolean>;
  /** The same password under a new hash, if the old one is still there; nothing else changes. */
  rehash(userId: string, from: string, to: string): Promise<void>;
}

const FIND = {
  name: 'password/find',
  text: `
    SELECT hash, changed_at, changed_by, EXISTS (SELECT 1 FROM factors f WHERE f.user_id = p.user_id) AS has_second_factor
    FROM password_credentials p WHERE user_id = $1`,
};
/**
 * Before a password is replaced: waits for sessions that the old one is opening, so that the next statement sees and ends them.
 * It is the first lock of whoever replaces a password, so that no two wait for each other.
 */
const HOLD = {
  name: 'password/hold',
  text: 'SELECT 1 FROM password_credentials WHERE user_id = $1 FOR NO KEY UPDATE',
};
const REHASH = {
  name: 'password/rehash',
  text: 'UPDATE password_credentials SET hash = $3 WHERE user_id = $1 AND hash = $2',
};

/** Links that were mailed for the old password must not undo the new one. */
const END_WHAT_THE_OLD_ONE_OPENED = `
  links AS (UPDATE password_resets SET token_hash = NULL FROM changed WHERE password_resets.user_id = changed.user_id
    AND status = 'OPEN'),
  devices AS (DELETE FROM remembered_devices USING changed WHERE remembered_devices.user_id = changed.user_id),
  others AS (
    UPDATE sessions SET ended_at = $3, ended_by = 'PASSWORD_CHANGED' FROM changed
    WHERE sessions.user_id = changed.user_id AND ended_at IS NULL AND sessions.id IS DISTINCT FROM $4::uuid
  )
  SELECT user_id FROM changed`;

const NOTICE = insertNotice('password:changed', { eventId: '$7', userId: '$1', now: '$3' }, 'changed');
const CHANGE = {
  name: 'password/change',
  text: `
    WITH changed AS (
      UPDATE password_credentials SET hash = $2, changed_at = $3, changed_by = $8
      WHERE user_id = $1 AND hash = $5 RETURNING user_id
    ), audited AS (${insertAuditEvents('$6', 'changed')}), noticed AS (${NOTICE}), ${END_WHAT_THE_OLD_ONE_OPENED}`,
};
const REPLACE = {
  name: 'password/replace',
  text: `
    WITH changed AS (
      INSERT INTO password_credentials (user_id, hash, created_at, changed_at)
      SELECT id, $2, $3, $3 FROM users WHERE id = $1 AND status = 'ACTIVE'
      ON CONFLICT (user_id) DO UPDATE SET hash = EXCLUDED.hash, changed_at = EXCLUDED.changed_at,
        changed_by = NULL
      RETURNING user_id
    ), ${END_WHAT_THE_OLD_ONE_OPENED}`,
};

/**
 * Sets the password of an active account, whatever it was, and ends every session. False where there is no such account.
 * The caller holds the row of the password, see {@link HOLD}.
 */
export const replacePassword = async (
  sql: Sql,
  { userId, hash, now }: { userId: string; hash: string; now: Date },
): Promise<boolean> => (await sql(REPLACE, [userId, hash, now, null])).length === 1;

interface CredentialRow {
  readonly hash: string;
  readonly has_second_factor: boolean;
  readonly changed_at: Date;
  readonly changed_by: string | null;
}

export const createPasswordRepository = (
  { sql, transact }: Pick<Database, 'sql' | 'transact'>,
  audit: Pick<AuditTrail, 'seal'>,
): PasswordRepository => ({
  async find(userId) {
    const [row] = await sql<CredentialRow>(FIND, [userId]);
    return (
      row && {
        hash: row.hash,
        hasSecondFactor: row.has_second_factor,
        changedAt: row.changed_at,
        changedBy: row.changed_by ?? undefined,
      }
    );
  },

  async change({ changeId, userId, sessionId, from, to, repetitionId, origin }) {
    const actor = { kind: 'user', id: userId } as const;
    const event = await audit.seal({ action: 'password.changed', actor, subjectId: userId, origin });
    return transact(async (within) => {
      await within(HOLD, [userId]);
      const values = [userId, to, new Date(), sessionId, from, event, changeId, repetitionId ?? null];
      return (await within(CHANGE, values)).length === 1;
    });
  },

  async rehash(userId, from, to) {
    await sql(REHASH, [userId, from, to]);
  },
});
