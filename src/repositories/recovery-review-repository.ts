import type { AdminRecovery, RecoveryEvidence, RecoveryListQuery, RecoveryStatus } from '../contracts/account-recovery';
import { approvalsNeeded } from '../contracts/account-recovery';
import { recoveryDeviceLocation, type RecoveryState } from '../contracts/account-recovery-workflow';
import type { FieldCipher } from '../contracts/data-protection';
import type { Role } from '../contracts/session';

import { type Filter, newestOf } from './filtered';
import type { Database } from './prisma-client';
import type { DeviceDescription } from './protected-device';
import type { Sql } from './sql';

/** Decisions on a recovery, in the transaction that holds its account. False where it is no longer open. */
export interface RecoveryActs {
  approveRecovery(approval: {
    readonly recoveryId: string;
    readonly approverId: string;
    readonly evidence: string;
    readonly isAdmin: boolean;
  }): Promise<boolean>;
  denyRecovery(recoveryId: string): Promise<boolean>;
}

const HOLD_OPEN = {
  name: 'recovery-review/hold-open',
  text: `SELECT 1 FROM account_recoveries WHERE id = $1 AND user_id = $2 AND status IN ('WAITING', 'READY') FOR UPDATE`,
};
const APPROVE = {
  name: 'recovery-review/approve',
  text: `
    INSERT INTO account_recovery_approvals (recovery_id, approver_id, evidence, is_admin, approved_at)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
};
const DENY = {
  name: 'recovery-review/deny',
  text: `
    UPDATE account_recoveries SET status = 'DENIED', token_hash = NULL, closed_at = $3, closed_by = 'staff'
    WHERE id = $1 AND user_id = $2 AND status IN ('WAITING', 'READY') RETURNING id`,
};

export const recoveryActsOn = (sql: Sql, userId: string): RecoveryActs => ({
  async approveRecovery({ recoveryId, approverId, evidence, isAdmin }) {
    if ((await sql(HOLD_OPEN, [recoveryId, userId])).length === 0) return false;
    await sql(APPROVE, [recoveryId, approverId, evidence, isAdmin, new Date()]);
    return true;
  },
  denyRecovery: async (recoveryId) => (await sql(DENY, [recoveryId, userId, new Date()])).length === 1,
});

export interface RecoveryReviewRepository {
  /** The newest first. */
  list(filter: Omit<RecoveryListQuery, 'cursor'>, before: string | undefined): Promise<AdminRecovery[]>;
  find(id: string): Promise<AdminRecovery | undefined>;
}

const SELECT = `
  SELECT id, user_id, status::text AS state, requested_at, available_at, closed_at, closed_by, device_ciphertext,
    ARRAY(SELECT role::text FROM user_roles o WHERE o.user_id = r.user_id) AS roles,
    (SELECT json_agg(json_build_array(approver_id, evidence, approved_at) ORDER BY approved_at)
      FROM account_recovery_approvals a WHERE a.recovery_id = r.id) AS approvals
  FROM account_recoveries r`;
const FIND = { name: 'recovery-review/find', text: `${SELECT} WHERE id = $1` };

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly state: RecoveryState;
  readonly requested_at: Date;
  readonly available_at: Date;
  readonly closed_at: Date | null;
  readonly closed_by: AdminRecovery['closedBy'];
  readonly device_ciphertext: string;
  readonly roles: Role[];
  readonly approvals: readonly (readonly [string, RecoveryEvidence, string])[] | null;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
}

export const createRecoveryReviewRepository = ({ database, cipher }: Dependencies): RecoveryReviewRepository => {
  const toRecovery = async (row: Row): Promise<AdminRecovery> => ({
    recoveryId: row.id,
    status: row.state.toLowerCase() as RecoveryStatus,
    availableAt: row.available_at.toISOString(),
    userId: row.user_id,
    requestedAt: row.requested_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null,
    closedBy: row.closed_by,
    ...(JSON.parse(
      await cipher.decrypt(row.device_ciphertext, recoveryDeviceLocation(row.id, row.user_id)),
    ) as DeviceDescription),
    approvalsNeeded: approvalsNeeded(row.roles),
    approvals: (row.approvals ?? []).map(([approverId, evidence, approvedAt]) => ({
      ...{ approverId, evidence },
      approvedAt: new Date(approvedAt).toISOString(),
    })),
  });

  return {
    async list({ status, limit }, before) {
      const filters: Filter[] = [
        ['before', (at) => `id < ${at}::uuid`, before],
        ['status', (at) => `status = ${at}::account_recovery_status`, status?.toUpperCase()],
      ];
      const { statement, values } = newestOf('recovery-review/list', { select: SELECT, key: 'id' }, filters, limit);
      return Promise.all((await database.sql<Row>(statement, values)).map(toRecovery));
    },

    async find(id) {
      const [row] = await database.sql<Row>(FIND, [id]);
      return row && toRecovery(row);
    },
  };
};
