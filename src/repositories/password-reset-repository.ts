import { MAX_RESET_MAILS, RESET_MAILS_WINDOW_MS } from '../contracts/password';
import type { FieldCipher } from '../contracts/data-protection';
import { IDEMPOTENCY_KEY_LIFE_MS } from '../contracts/idempotency';
import {
  type NewPassword,
  type OpenReset,
  type ReissueOutcome,
  RESET_RESEND_INTERVAL_MS,
  resetPasswordHashLocation,
  type ResetOutcome,
} from '../contracts/password-reset-workflow';

import type { AuditTrail } from './audit-trail';
import { clearLoginFailures } from './login-failure-repository';
import type { Database } from './prisma-client';
import { replacePassword } from './password-repository';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

export interface NewReset {
  readonly resetId: string;
  readonly workflowId: string;
  readonly emailIndex: Hash;
  readonly expiresInMs: number;
}

/** A reset as whoever shows its token meets it: open, or completed by this very request. */
export interface ShownReset {
  readonly isDone: boolean;
  readonly resetId: string;
  readonly workflowId: string;
  readonly issue: number;
  readonly userId: string;
}

export interface PasswordResetRepository {
  /** Stores an open reset, or a decoy where nobody has the address; a second call with the same id changes nothing. */
  create(reset: NewReset): Promise<OpenReset>;
  /** Replaces the token by the next one, within the limits; `requestId` makes a repeated call the same request. */
  reissue(request: { resetId: string; requestId: string; expiresInMs: number }): Promise<ReissueOutcome>;
  /** What the mail is to say; undefined where there is nobody to be mailed or the link no longer works. */
  findForMail(resetId: string, issue: number): Promise<{ userId: string; expiresAt: Date } | undefined>;
  /** The open reset of a token, or the one that the attempt of this id has completed within the life of an Idempotency-Key. */
  findByToken(tokenHash: Hash, attemptId?: string): Promise<ShownReset | undefined>;
  /** Sets the password, ends every session and forgets failed logins; `attemptId` makes a repeated call the same attempt. */
  complete(attempt: NewPassword & { attemptId: string }): Promise<ResetOutcome>;
  /** Closes an open reset; does nothing to one that is closed. */
  expire(resetId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly tokens: { token(resetId: string, issue: number): string; hash(token: string): Hash };
}

interface ResetRow {
  readonly user_id: string | null;
  readonly workflow_id: string;
  readonly status: 'OPEN' | 'COMPLETED' | 'EXPIRED';
  readonly mails_issued: number;
  readonly last_issued_at: Date;
  readonly last_request_id: string | null;
  readonly last_attempt_id: string | null;
  readonly expires_at: Date;
  readonly has_token: boolean;
  readonly mails_left: boolean;
}

interface ShownRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly mails_issued: number;
  readonly user_id: string;
  readonly is_done: boolean;
}

/** Fewer mails than the limit within the window ($limit mails since $since). */
const mailsLeft = (userId: string, limit: string, since: string): string => `
  (SELECT coalesce(sum(mails_issued), 0) < ${limit}::int FROM password_resets
   WHERE user_id = ${userId} AND created_at > ${since})`;

/** One workflow for each address creates one after the other, so the count is exact. */
const CREATE = {
  name: 'password-reset/create',
  text: `
    INSERT INTO password_resets (id, workflow_id, user_id, token_hash, mails_issued, last_issued_at, created_at, expires_at)
    SELECT $1, $2, u.id, CASE WHEN allowed THEN $3::bytea END, CASE WHEN allowed THEN 1 ELSE 0 END, $4, $4, $5
    FROM (SELECT $6::bytea AS email_index) AS asked
    LEFT JOIN users u ON u.email_index = asked.email_index AND u.status = 'ACTIVE'
    CROSS JOIN LATERAL (SELECT u.id IS NOT NULL AND ${mailsLeft('u.id', '$7', '$8')} AS allowed) AS limits
    ON CONFLICT (id) DO NOTHING`,
};
const FIND_TIMES = {
  name: 'password-reset/find-times',
  text: 'SELECT mails_issued, last_issued_at, expires_at FROM password_resets WHERE id = $1',
};

/** Before the reset itself: in the order of whoever changes the password, who locks it first and the open resets then. */
const HOLD_PASSWORD = {
  name: 'password-reset/hold-password',
  text: `
    SELECT 1 FROM password_credentials p JOIN password_resets r ON r.user_id = p.user_id
    WHERE r.id = $1 FOR NO KEY UPDATE OF p`,
};
/** Serialises everything that happens to one reset. */
const HOLD = {
  name: 'password-reset/hold',
  text: `
    SELECT user_id, workflow_id, status::text, mails_issued, last_issued_at, last_request_id, last_attempt_id, expires_at,
      token_hash IS NOT NULL AS has_token, ${mailsLeft('r.user_id', '$2', '$3')} AS mails_left
    FROM password_resets r WHERE id = $1 FOR UPDATE`,
};
const REISSUE = {
  name: 'password-reset/reissue',
  text: `
    UPDATE password_resets SET token_hash = $2, mails_issued = $3, last_issued_at = $4, expires_at = $5, last_request_id = $6
    WHERE id = $1`,
};
const FIND_FOR_MAIL = {
  name: 'password-reset/find-for-mail',
  text: `
    SELECT user_id, expires_at FROM password_resets
    WHERE id = $1 AND status = 'OPEN' AND mails_issued = $2 AND token_hash IS NOT NULL AND expires_at > $3`,
};
const FIND_BY_TOKEN = {
  name: 'password-reset/find-by-token',
  text: `
    SELECT id, workflow_id, mails_issued, user_id, status = 'COMPLETED' AS is_done FROM password_resets
    WHERE token_hash = $1 AND user_id IS NOT NULL AND (
      (status = 'OPEN' AND expires_at > $2) OR (status = 'COMPLETED' AND last_attempt_id = $3 AND closed_at > $4)
    )`,
};
/** The token's hash stays, so that a repetition of the request that used it is told from another use. */
const COMPLETE = {
  name: 'password-reset/complete',
  text: `
    UPDATE password_resets SET status = 'COMPLETED', token_hash = $4, closed_at = $2, last_attempt_id = $3 WHERE id = $1`,
};
/** Of a decoy nothing is kept. */
const EXPIRE = {
  name: 'password-reset/expire',
  text: `
    WITH decoy AS (DELETE FROM password_resets WHERE id = $1 AND status = 'OPEN' AND user_id IS NULL)
    UPDATE password_resets SET status = 'EXPIRED', token_hash = NULL, closed_at = $2
    WHERE id = $1 AND status = 'OPEN' AND user_id IS NOT NULL`,
};

const REFUSED: ResetOutcome = { outcome: 'invalid_reset_token' };

export const createPasswordResetRepository = ({
  database,
  cipher,
  audit,
  tokens,
}: Dependencies): PasswordResetRepository => {
  const hashOf = (resetId: string, issue: number): Hash => tokens.hash(tokens.token(resetId, issue));
  const hold = async (sql: Sql, resetId: string): Promise<ResetRow | undefined> => {
    const since = new Date(Date.now() - RESET_MAILS_WINDOW_MS);
    const [row] = await sql<ResetRow>(HOLD, [resetId, MAX_RESET_MAILS, since]);
    return row;
  };

  return {
    async create({ resetId, workflowId, emailIndex, expiresInMs }) {
      const now = Date.now();
      const times = [new Date(now), new Date(now + expiresInMs)];
      const limits = [MAX_RESET_MAILS, new Date(now - RESET_MAILS_WINDOW_MS)];
      await database.sql(CREATE, [resetId, workflowId, hashOf(resetId, 1), ...times, emailIndex, ...limits]);
      const [row] = await database.sql<Pick<ResetRow, 'last_issued_at' | 'expires_at'>>(FIND_TIMES, [resetId]);
      const { last_issued_at: issuedAt, expires_at: expiresAt } = row ?? {};
      return { resetId, issue: 1, issuedAt: issuedAt?.getTime() ?? now, expiresAt: expiresAt?.getTime() ?? now };
    },

    reissue: ({ resetId, requestId, expiresInMs }) =>
      database.transact(async (sql): Promise<ReissueOutcome> => {
        const row = await hold(sql, resetId);
        if (row?.status !== 'OPEN') return { outcome: 'closed' };
        if (row.last_request_id === requestId) {
          const [issuedAt, expiresAt] = [row.last_issued_at.getTime(), row.expires_at.getTime()];
          return { outcome: 'issued', issue: row.mails_issued, issuedAt, expiresAt };
        }
        const now = Date.now();
        const isTooSoon = now - row.last_issued_at.getTime() < RESET_RESEND_INTERVAL_MS;
        if (row.user_id === null || !row.mails_left || isTooSoon) return { outcome: 'silent' };
        const issue = row.mails_issued + 1;
        const expiresAt = now + expiresInMs;
        const times = [new Date(now), new Date(expiresAt)];
        await sql(REISSUE, [resetId, hashOf(resetId, issue), issue, ...times, requestId]);
        return { outcome: 'issued', issue, issuedAt: now, expiresAt };
      }),

    async findForMail(resetId, issue) {
      const values = [resetId, issue, new Date()];
      const [row] = await database.sql<{ user_id: string | null; expires_at: Date }>(FIND_FOR_MAIL, values);
      return row?.user_id == null ? undefined : { userId: row.user_id, expiresAt: row.expires_at };
    },

    async findByToken(tokenHash, attemptId) {
      const now = Date.now();
      const values = [tokenHash, new Date(now), attemptId ?? null, new Date(now - IDEMPOTENCY_KEY_LIFE_MS)];
      const [row] = await database.sql<ShownRow>(FIND_BY_TOKEN, values);
      if (row === undefined) return undefined;
      const { id: resetId, workflow_id: workflowId, mails_issued: issue, user_id: userId, is_done: isDone } = row;
      return { resetId, workflowId, issue, userId, isDone };
    },

    complete: ({ resetId, issue, passwordHashCiphertext, loginFailureKeys = [], attemptId }) =>
      database.transact(async (sql): Promise<ResetOutcome> => {
        await sql(HOLD_PASSWORD, [resetId]);
        const row = await hold(sql, resetId);
        if (row?.user_id == null) return REFUSED;
        const { user_id: userId } = row;
        if (row.status === 'COMPLETED' && row.last_attempt_id === attemptId) return { outcome: 'reset', userId };
        const now = new Date();
        const works = row.status === 'OPEN' && row.has_token && row.mails_issued === issue && row.expires_at > now;
        if (!works) return REFUSED;
        const hash = await cipher.decrypt(passwordHashCiphertext, resetPasswordHashLocation(resetId, userId));
        if (!(await replacePassword(sql, { userId, hash, now }))) return REFUSED;
        await sql(COMPLETE, [resetId, now, attemptId, hashOf(resetId, issue)]);
        await clearLoginFailures(
          sql,
          loginFailureKeys.map((key) => Uint8Array.from(Buffer.from(key, 'hex'))),
        );
        // Whoever has the mailbox, so nobody who is known; the request is found by the workflow.
        const actor = { kind: 'anonymous' } as const;
        const { workflow_id: workflowId } = row;
        await audit.append(sql, { action: 'password.reset', actor, subjectId: userId, workflowId });
        return { outcome: 'reset', userId };
      }),

    async expire(resetId) {
      await database.sql(EXPIRE, [resetId, new Date()]);
    },
  };
};
