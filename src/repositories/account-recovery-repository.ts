import {
  isApproved,
  RECOVERY_COUNT_WINDOW_MS,
  RECOVERY_PAUSES_MS,
  type RecoveryEnding,
} from '../contracts/account-recovery';
import {
  type AccountRecoveryResult,
  type BeginOutcome,
  type RecoveryBegin,
  recoveryOriginLocation,
  type RecoveryState,
} from '../contracts/account-recovery-workflow';
import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';
import type { Role } from '../contracts/session';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

export interface NewRecovery extends RecoveryBegin {
  readonly userId: string;
  readonly workflowId: string;
  readonly waitMs: number;
  readonly at: number;
}
type Ended = Exclude<AccountRecoveryResult, 'REFUSED'>;
export interface ExpiredRecovery {
  readonly state: Ended;
}
export type ReadyOutcome =
  | { readonly outcome: 'ready'; readonly expiresAt: number }
  | { readonly outcome: 'unapproved' }
  | { readonly outcome: 'closed'; readonly state: Ended };

export interface FoundRecovery {
  readonly id: string;
  readonly userId: string;
  readonly state: RecoveryState;
  readonly availableAt: Date;
}
export interface RecoveryForMessage extends FoundRecovery {
  readonly tokenExpiresAt: Date | null;
}

export interface AccountRecoveryRepository {
  /** Stores a recovery, or gives the one that is open; `recoveryId` makes a repeated call the same request. */
  create(recovery: NewRecovery): Promise<BeginOutcome>;
  read(recoveryId: string): Promise<{ state: RecoveryState }>;
  /** Gives it its token if it is approved. */
  ready(request: { recoveryId: string; at: number; completionMs: number }): Promise<ReadyOutcome>;
  /** Closes an open one. @returns how it has ended, now or before */
  expire(request: { recoveryId: string; at: number }): Promise<ExpiredRecovery>;
  findForMessage(recoveryId: string): Promise<RecoveryForMessage | undefined>;
  findOpen(userId: string): Promise<FoundRecovery | undefined>;
  /** Of the token that cancels it, in whatever state it is. */
  findByCancelToken(hash: Hash): Promise<FoundRecovery | undefined>;
  /** The open one with its token, or the one that the attempt of this id has completed. */
  findByToken(hash: Hash, attemptId: string | undefined): Promise<FoundRecovery | undefined>;
  /** Cancels the open recovery of an account at once; its notice is in the outbox. @returns its id, if there was one */
  cancel(userId: string, by: RecoveryEnding, origin: RequestOrigin): Promise<string | undefined>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: AuditTrail;
  readonly recoveryTokens: {
    cancelToken(recoveryId: string): string;
    completionToken(recoveryId: string): string;
    hash(token: string): Hash;
  };
  /** None begins so long after a change of the phone or the address, milliseconds. */
  readonly highRiskHoldMs: number;
}

const OPEN = `status IN ('WAITING', 'READY')`;
const HOLD_ACCOUNT = {
  name: 'account-recovery/hold-account',
  text: `
    SELECT u.status::text, p.changed_at, GREATEST(u.phone_changed_at, (
      SELECT max(closed_at) FROM contact_changes c WHERE c.user_id = u.id AND c.channel = 'EMAIL' AND c.status = 'COMPLETED'
    )) AS contact_changed_at
    FROM users u JOIN password_credentials p ON p.user_id = u.id WHERE u.id = $1 FOR NO KEY UPDATE OF u`,
};
const FIND_OPEN = {
  name: 'account-recovery/find-open',
  text: `SELECT id, user_id, status::text AS state, requested_at, available_at FROM account_recoveries WHERE user_id = $1 AND ${OPEN}`,
};
const COUNT_FAILED = {
  name: 'account-recovery/count-failed',
  text: `
    SELECT count(*)::int AS count, max(closed_at) AS last FROM account_recoveries
    WHERE user_id = $1 AND status IN ('CANCELLED', 'DENIED', 'EXPIRED') AND closed_at > GREATEST($2::timestamptz, $3::timestamptz)`,
};
const INSERT = {
  name: 'account-recovery/insert',
  text: `
    INSERT INTO account_recoveries (id, workflow_id, user_id, password_changed_at, device_ciphertext, cancel_token_hash,
      requested_at, available_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id`,
};
const READ = {
  name: 'account-recovery/read',
  text: 'SELECT status::text AS state FROM account_recoveries WHERE id = $1',
};
const HOLD = {
  name: 'account-recovery/hold',
  text: `
    SELECT user_id, status::text AS state, token_expires_at,
      ARRAY(SELECT role::text FROM user_roles o WHERE o.user_id = r.user_id) AS roles,
      ARRAY(SELECT is_admin FROM account_recovery_approvals a WHERE a.recovery_id = r.id) AS approvals
    FROM account_recoveries r WHERE id = $1 FOR UPDATE`,
};
const READY = {
  name: 'account-recovery/ready',
  text: `UPDATE account_recoveries SET status = 'READY', token_hash = $2, token_expires_at = $3 WHERE id = $1`,
};
const EXPIRE = {
  name: 'account-recovery/expire',
  text: `
    WITH closed AS (
      UPDATE account_recoveries SET status = 'EXPIRED', token_hash = NULL, closed_at = $2, closed_by = 'time'
      WHERE id = $1 AND ${OPEN} RETURNING id
    ), audited AS (${insertAuditEvents('$3', 'closed')})
    SELECT id FROM closed`,
};
const FIND = `SELECT id, user_id, status::text AS state, available_at, token_expires_at FROM account_recoveries`;
const FIND_FOR_MESSAGE = { name: 'account-recovery/find-for-message', text: `${FIND} WHERE id = $1` };
const FIND_BY_CANCEL_TOKEN = {
  name: 'account-recovery/find-by-cancel-token',
  text: `${FIND} WHERE cancel_token_hash = $1`,
};
const FIND_BY_TOKEN = {
  name: 'account-recovery/find-by-token',
  text: `
    ${FIND} WHERE token_hash = $1 AND (
      (status = 'READY' AND token_expires_at > $2) OR (status = 'COMPLETED' AND last_attempt_id = $3)
    )`,
};
const NOTICE = insertNotice(
  'mfa:recovery-cancelled',
  { eventId: '(SELECT id FROM cancelled)', userId: '$1', now: '$2' },
  'cancelled',
);
const CANCEL = {
  name: 'account-recovery/cancel',
  text: `
    WITH cancelled AS (
      UPDATE account_recoveries SET status = 'CANCELLED', token_hash = NULL, closed_at = $2, closed_by = $3
      WHERE user_id = $1 AND ${OPEN} RETURNING id
    ), noticed AS (${NOTICE}), audited AS (${insertAuditEvents('$4', 'cancelled')})
    SELECT id FROM cancelled`,
};

interface AccountRow {
  readonly status: string;
  readonly changed_at: Date;
  readonly contact_changed_at: Date | null;
}
interface OpenRow {
  readonly id: string;
  readonly user_id: string;
  readonly state: 'WAITING' | 'READY';
  readonly requested_at: Date;
  readonly available_at: Date;
}
interface HeldRow {
  readonly user_id: string;
  readonly state: RecoveryState;
  readonly token_expires_at: Date | null;
  readonly roles: Role[];
  readonly approvals: boolean[];
}
interface FoundRow {
  readonly id: string;
  readonly user_id: string;
  readonly state: RecoveryState;
  readonly available_at: Date;
  readonly token_expires_at: Date | null;
}

const toFound = (row: FoundRow): RecoveryForMessage => ({
  id: row.id,
  userId: row.user_id,
  state: row.state,
  availableAt: row.available_at,
  tokenExpiresAt: row.token_expires_at,
});
const toOpen = ({ id, state, requested_at, available_at }: OpenRow): BeginOutcome => ({
  ...{ outcome: 'open', recoveryId: id, state },
  requestedAt: requested_at.getTime(),
  availableAt: available_at.getTime(),
});
const SERVICE = { kind: 'service' } as const;

export const createAccountRecoveryRepository = (deps: Dependencies): AccountRecoveryRepository => {
  const { database, cipher, audit, recoveryTokens, highRiskHoldMs } = deps;
  const first = async (...[statement, values]: Parameters<Sql>): Promise<RecoveryForMessage | undefined> => {
    const [row] = await database.sql<FoundRow>(statement, values);
    return row && toFound(row);
  };

  /** How long the next one has to wait, milliseconds. */
  const pauseOf = async (sql: Sql, userId: string, account: AccountRow): Promise<number> => {
    const now = Date.now();
    const held = account.contact_changed_at === null ? 0 : account.contact_changed_at.getTime() + highRiskHoldMs;
    const since = new Date(now - RECOVERY_COUNT_WINDOW_MS);
    const [failed] = await sql<{ count: number; last: Date | null }>(COUNT_FAILED, [userId, since, account.changed_at]);
    const pause = RECOVERY_PAUSES_MS[Math.min(failed?.count ?? 0, RECOVERY_PAUSES_MS.length - 1)] ?? 0;
    return Math.max(0, held - now, (failed?.last?.getTime() ?? 0) + pause - now);
  };

  return {
    create: ({ recoveryId, userId, workflowId, waitMs, at, ...begin }) =>
      database.transact(async (sql): Promise<BeginOutcome> => {
        const [account] = await sql<AccountRow>(HOLD_ACCOUNT, [userId]);
        if (account?.status !== 'ACTIVE' || account.changed_at.getTime() !== begin.passwordChangedAt)
          return { outcome: 'closed' };
        const [open] = await sql<OpenRow>(FIND_OPEN, [userId]);
        if (open !== undefined) return toOpen(open);
        const retryAfterMs = await pauseOf(sql, userId, account);
        if (retryAfterMs > 0) return { outcome: 'too_early', retryAfterMs };
        const times = { requestedAt: at, availableAt: at + waitMs };
        const cancelHash = recoveryTokens.hash(recoveryTokens.cancelToken(recoveryId));
        const own = [recoveryId, workflowId, userId, account.changed_at, begin.deviceCiphertext, cancelHash];
        const inserted = await sql(INSERT, [...own, new Date(times.requestedAt), new Date(times.availableAt)]);
        // This very request was stored before, and is over by now.
        if (inserted.length === 0) return { outcome: 'closed' };
        const origin = JSON.parse(
          await cipher.decrypt(begin.originCiphertext, recoveryOriginLocation(recoveryId, userId)),
        ) as RequestOrigin;
        await audit.append(sql, {
          // Whoever knows the password.
          ...{ action: 'mfa.recovery_requested', actor: { kind: 'anonymous' }, subjectId: userId, origin, workflowId },
          details: { recoveryId },
        });
        return { outcome: 'open', recoveryId, state: 'WAITING', ...times };
      }),

    async read(recoveryId) {
      const [row] = await database.sql<{ state: RecoveryState }>(READ, [recoveryId]);
      return { state: row?.state ?? 'CANCELLED' };
    },

    ready: ({ recoveryId, at, completionMs }) =>
      database.transact(async (sql): Promise<ReadyOutcome> => {
        const [row] = await sql<HeldRow>(HOLD, [recoveryId]);
        if (row?.state === 'READY' && row.token_expires_at !== null)
          return { outcome: 'ready', expiresAt: row.token_expires_at.getTime() };
        if (row === undefined) return { outcome: 'closed', state: 'CANCELLED' };
        if (row.state !== 'WAITING') return { outcome: 'closed', state: row.state as Ended };
        const approvals = row.approvals.map((isAdmin) => ({ isAdmin }));
        if (!isApproved(row.roles, approvals)) return { outcome: 'unapproved' };
        const expiresAt = at + completionMs;
        const hash = recoveryTokens.hash(recoveryTokens.completionToken(recoveryId));
        await sql(READY, [recoveryId, hash, new Date(expiresAt)]);
        return { outcome: 'ready', expiresAt };
      }),

    async expire({ recoveryId, at }) {
      const [row] = await database.sql<FoundRow>(FIND_FOR_MESSAGE, [recoveryId]);
      const event = await audit.seal({
        ...{ action: 'mfa.recovery_expired', actor: SERVICE, subjectId: row?.user_id, details: { recoveryId } },
      });
      if ((await database.sql(EXPIRE, [recoveryId, new Date(at), event])).length === 1) return { state: 'EXPIRED' };
      const [now] = await database.sql<{ state: Ended }>(READ, [recoveryId]);
      return { state: now?.state ?? 'CANCELLED' };
    },

    findForMessage: (recoveryId) => first(FIND_FOR_MESSAGE, [recoveryId]),

    async findOpen(userId) {
      const [row] = await database.sql<OpenRow>(FIND_OPEN, [userId]);
      return row && toFound({ ...row, token_expires_at: null });
    },

    findByCancelToken: (hash) => first(FIND_BY_CANCEL_TOKEN, [hash]),
    findByToken: (hash, attemptId) => first(FIND_BY_TOKEN, [hash, new Date(), attemptId ?? null]),

    async cancel(userId, by, origin) {
      const actor = by === 'link' ? ({ kind: 'anonymous' } as const) : ({ kind: 'user', id: userId } as const);
      const event = await audit.seal({
        ...{ action: 'mfa.recovery_cancelled', actor, subjectId: userId, origin, details: { by } },
      });
      const [row] = await database.sql<{ id: string }>(CANCEL, [userId, new Date(), by, event]);
      return row?.id;
    },
  };
};
