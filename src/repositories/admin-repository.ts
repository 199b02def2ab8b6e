import type { UserListQuery } from '../contracts/admin';
import type { NewAuditEvent } from '../contracts/audit';
import type { BlindIndex } from '../contracts/data-protection';
import type { Role } from '../contracts/session';

import type { AuditTrail } from './audit-trail';
import { type Filter, newestOf } from './filtered';
import type { Database } from './prisma-client';
import { type RecoveryActs, recoveryActsOn } from './recovery-review-repository';
import type { Sql } from './sql';
import type { User } from './user-repository';

/** What decides whether an act is allowed, as it is while the act holds it. */
export interface HeldAccount {
  readonly id: string;
  readonly status: User['status'];
  readonly roles: readonly Role[];
}

/** Acts on the account that is held, all in one transaction. */
export interface AccountActs extends RecoveryActs {
  setStatus(status: 'ACTIVE' | 'LOCKED'): Promise<void>;
  /** @returns how many there were */
  endSessions(): Promise<number>;
  grant(role: Role, grantedBy: string | undefined): Promise<void>;
  revoke(role: Role): Promise<void>;
  /** As the last act. */
  record(event: NewAuditEvent): Promise<void>;
}

export interface HeldAccounts {
  readonly actor: HeldAccount | undefined;
  readonly target: HeldAccount | undefined;
  /** Active administrators besides the target. */
  readonly otherAdmins: number;
}

export interface AdminRepository {
  /** Ids of accounts, the newest first. */
  listUserIds(filter: Omit<UserListQuery, 'cursor'>, before: string | undefined): Promise<string[]>;
  findUserIdByEmail(email: string): Promise<string | undefined>;
  /** Runs `work` while nobody else changes roles or locks accounts; rolled back when it throws. */
  hold<T>(
    ids: { readonly actorId: string | undefined; readonly targetId: string },
    work: (accounts: HeldAccounts, acts: AccountActs) => Promise<T>,
  ): Promise<T>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly blindIndex: BlindIndex;
  readonly audit: AuditTrail;
}

/** Any number that no other advisory lock of this database uses. */
const ADMINISTRATION_LOCK = 7_303_015;

const LIST = { select: 'SELECT id FROM users', key: 'id' };
const LOCK = { name: 'admin/lock', text: 'SELECT pg_advisory_xact_lock($1)' };
/** `FOR UPDATE` waits for logins that are about to open a session of the account, so that their sessions are seen. */
const HOLD_TARGET = { name: 'admin/hold-target', text: 'SELECT id FROM users WHERE id = $1 FOR UPDATE' };
const READ_ACCOUNTS = {
  name: 'admin/read-accounts',
  text: `
    SELECT u.id, u.status::text, ARRAY(SELECT role::text FROM user_roles r WHERE r.user_id = u.id) AS roles
    FROM users u WHERE u.id = ANY($1::uuid[])`,
};
const COUNT_OTHER_ADMINS = {
  name: 'admin/count-other-admins',
  text: `
    SELECT count(*)::int AS count FROM user_roles r JOIN users u ON u.id = r.user_id
    WHERE r.role = 'ADMIN' AND u.status = 'ACTIVE' AND u.id <> $1`,
};
const SET_STATUS = {
  name: 'admin/set-status',
  text: 'UPDATE users SET status = $2::user_status, updated_at = $3 WHERE id = $1',
};
const END_SESSIONS = {
  name: 'admin/end-sessions',
  text: `
    WITH devices AS (DELETE FROM remembered_devices WHERE user_id = $1)
    UPDATE sessions SET ended_at = $2, ended_by = 'REVOKED_BY_ADMIN' WHERE user_id = $1 AND ended_at IS NULL
    RETURNING expires_at > $2 AS was_live`,
};
const GRANT = {
  name: 'admin/grant-role',
  text: `
    INSERT INTO user_roles (user_id, role, granted_at, granted_by) VALUES ($1, $2::role, $3, $4) ON CONFLICT DO NOTHING`,
};
const REVOKE = { name: 'admin/revoke-role', text: 'DELETE FROM user_roles WHERE user_id = $1 AND role = $2::role' };
const FIND_BY_EMAIL = { name: 'admin/find-by-email', text: 'SELECT id FROM users WHERE email_index = $1' };

export const createAdminRepository = ({ database, blindIndex, audit }: Dependencies): AdminRepository => {
  const actsOn = (sql: Sql, userId: string): AccountActs => ({
    async setStatus(status) {
      await sql(SET_STATUS, [userId, status, new Date()]);
    },
    async endSessions() {
      const ended = await sql<{ was_live: boolean }>(END_SESSIONS, [userId, new Date()]);
      return ended.filter(({ was_live }) => was_live).length;
    },
    async grant(role, grantedBy) {
      await sql(GRANT, [userId, role, new Date(), grantedBy ?? null]);
    },
    async revoke(role) {
      await sql(REVOKE, [userId, role]);
    },
    ...recoveryActsOn(sql, userId),
    record: (event) => audit.append(sql, event),
  });

  return {
    async listUserIds({ email, phone, status, limit }, before) {
      const filters: Filter[] = [
        ['before', (at) => `id < ${at}::uuid`, before],
        ['email', (at) => `email_index = ${at}`, email && blindIndex.of('email', email)],
        ['phone', (at) => `phone_index = ${at}`, phone && blindIndex.of('phone', phone)],
        ['status', (at) => `status = ${at}::user_status`, status],
      ];
      const { statement, values } = newestOf('admin/list-users', LIST, filters, limit);
      const rows = await database.sql<{ id: string }>(statement, values);
      return rows.map(({ id }) => id);
    },

    async findUserIdByEmail(email) {
      const [row] = await database.sql<{ id: string }>(FIND_BY_EMAIL, [blindIndex.of('email', email)]);
      return row?.id;
    },

    hold: ({ actorId, targetId }, work) =>
      database.transact(async (sql) => {
        await sql(LOCK, [ADMINISTRATION_LOCK]);
        await sql(HOLD_TARGET, [targetId]);
        const accounts = await sql<HeldAccount & { id: string }>(READ_ACCOUNTS, [
          actorId === undefined ? [targetId] : [actorId, targetId],
        ]);
        const [others] = await sql<{ count: number }>(COUNT_OTHER_ADMINS, [targetId]);
        const held = {
          actor: accounts.find(({ id }) => id === actorId),
          target: accounts.find(({ id }) => id === targetId),
          otherAdmins: others?.count ?? 0,
        };
        return work(held, actsOn(sql, targetId));
      }),
  };
};
