import type {
  BeginErasureOutcome,
  ErasureState,
  PendingErasure,
  StartErasingOutcome,
} from '../contracts/account-erasure-workflow';
import type { RequestOrigin } from '../contracts/audit';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

export interface NewErasure {
  readonly erasureId: string;
  readonly workflowId: string;
  readonly userId: string;
  readonly graceMs: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}
export interface FoundErasure {
  readonly id: string;
  readonly userId: string;
  readonly state: ErasureState;
  readonly requestedAt: Date;
  readonly eraseAt: Date;
}

export interface AccountErasureRepository {
  /** Stores an erasure, or gives the one that is pending. */
  create(erasure: NewErasure): Promise<BeginErasureOutcome>;
  find(erasureId: string): Promise<FoundErasure | undefined>;
  findPending(userId: string): Promise<FoundErasure | undefined>;
  /** Takes the pending erasure of an account back at once. Undefined where there is none. */
  cancel(userId: string, origin: RequestOrigin): Promise<FoundErasure | undefined>;
  /** The point of no return: the account can do nothing any more, and all of its sessions end. */
  startErasing(erasureId: string): Promise<StartErasingOutcome>;
}

/** The lock under which roles change (see `createAdminRepository`). */
const ADMINISTRATION_LOCK = 7_303_015;
const LOCK = { name: 'account-erasure/lock', text: 'SELECT pg_advisory_xact_lock($1)' };
/** `FOR UPDATE` waits for logins that are about to open a session, so that their sessions are seen. */
const HOLD_ACCOUNT = {
  name: 'account-erasure/hold-account',
  text: `
    SELECT status::text, EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role = 'ADMIN') AND NOT EXISTS (
      SELECT 1 FROM user_roles r JOIN users o ON o.id = r.user_id WHERE r.role = 'ADMIN' AND o.status = 'ACTIVE' AND o.id <> u.id
    ) AS is_last_admin FROM users u WHERE u.id = $1 FOR UPDATE`,
};
const COLUMNS = 'id, user_id AS "userId", status::text AS state, requested_at AS "requestedAt", erase_at AS "eraseAt"';
const FIND = { name: 'account-erasure/find', text: `SELECT ${COLUMNS} FROM account_erasures WHERE id = $1` };
const FIND_PENDING = {
  name: 'account-erasure/find-pending',
  text: `SELECT ${COLUMNS} FROM account_erasures WHERE user_id = $1 AND status = 'PENDING'`,
};
const INSERT = {
  name: 'account-erasure/insert',
  text: `
    INSERT INTO account_erasures (id, workflow_id, user_id, requested_at, erase_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO NOTHING RETURNING id`,
};
const CANCEL = {
  name: 'account-erasure/cancel',
  text: `
    WITH cancelled AS (
      UPDATE account_erasures SET status = 'CANCELLED', closed_at = $2 WHERE user_id = $1 AND status = 'PENDING'
      RETURNING ${COLUMNS}
    ), audited AS (${insertAuditEvents('$3', 'cancelled')})
    SELECT * FROM cancelled`,
};
const START = {
  name: 'account-erasure/start',
  text: `
    WITH account AS (UPDATE users SET status = 'ERASURE_PENDING', updated_at = $3 WHERE id = $2),
      devices AS (DELETE FROM remembered_devices WHERE user_id = $2),
      ended AS (UPDATE sessions SET ended_at = $3, ended_by = 'ERASED' WHERE user_id = $2 AND ended_at IS NULL)
    UPDATE account_erasures SET status = 'ERASING' WHERE id = $1`,
};

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly audit: AuditTrail;
}
interface AccountRow {
  readonly status: string;
  readonly is_last_admin: boolean;
}

const toPending = ({ id, requestedAt, eraseAt }: FoundErasure): { outcome: 'pending' } & PendingErasure => ({
  ...{ outcome: 'pending', erasureId: id },
  ...{ requestedAt: requestedAt.getTime(), eraseAt: eraseAt.getTime() },
});

export const createAccountErasureRepository = ({ database, audit }: Dependencies): AccountErasureRepository => {
  const hold = async (sql: Sql, userId: string): Promise<AccountRow | undefined> => {
    await sql(LOCK, [ADMINISTRATION_LOCK]);
    const [account] = await sql<AccountRow>(HOLD_ACCOUNT, [userId]);
    return account;
  };

  return {
    create: ({ erasureId, workflowId, userId, graceMs, at }) =>
      database.transact(async (sql): Promise<BeginErasureOutcome> => {
        const account = await hold(sql, userId);
        if (account?.status !== 'ACTIVE') return { outcome: 'closed' };
        const [pending] = await sql<FoundErasure>(FIND_PENDING, [userId]);
        if (pending !== undefined) return toPending(pending);
        if (account.is_last_admin) return { outcome: 'last_administrator' };
        const eraseAt = at + graceMs;
        const inserted = await sql(INSERT, [erasureId, workflowId, userId, new Date(at), new Date(eraseAt)]);
        // This very request was stored before, and was taken back by now.
        return inserted.length === 0
          ? { outcome: 'closed' }
          : { outcome: 'pending', erasureId, requestedAt: at, eraseAt };
      }),

    async find(erasureId) {
      return (await database.sql<FoundErasure>(FIND, [erasureId]))[0];
    },

    async findPending(userId) {
      return (await database.sql<FoundErasure>(FIND_PENDING, [userId]))[0];
    },

    async cancel(userId, origin) {
      const event = await audit.seal({
        ...{ action: 'account.erasure_cancelled', actor: { kind: 'user', id: userId }, subjectId: userId, origin },
      });
      return (await database.sql<FoundErasure>(CANCEL, [userId, new Date(), event]))[0];
    },

    startErasing: (erasureId) =>
      database.transact(async (sql): Promise<StartErasingOutcome> => {
        const [before] = await sql<FoundErasure>(FIND, [erasureId]);
        if (before === undefined) return { outcome: 'cancelled' };
        const account = await hold(sql, before.userId);
        const [erasure = before] = await sql<FoundErasure>(FIND, [erasureId]);
        if (erasure.state === 'CANCELLED') return { outcome: 'cancelled' };
        if (erasure.state !== 'PENDING') return { outcome: 'erasing' };
        if (account?.status === 'LOCKED') return { outcome: 'held', why: 'locked' };
        if (account?.is_last_admin === true) return { outcome: 'held', why: 'last_administrator' };
        await sql(START, [erasureId, erasure.userId, new Date()]);
        const details = { erasureId };
        await audit.append(sql, {
          ...{ action: 'account.erasure_begun', actor: { kind: 'service' }, subjectId: erasure.userId, details },
        });
        return { outcome: 'erasing' };
      }),
  };
};
