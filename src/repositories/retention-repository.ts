import type { RetentionPolicyName } from '../contracts/retention';
import type { RetentionResult } from '../contracts/retention-workflow';

import type { PruneAudit } from './audit-pruning';
import type { AuditTrail } from './audit-trail';
import type { Database } from './prisma-client';
import type { Statement } from './sql';

export interface RetentionRepository {
  /** Drops (or empties) at most `limit` rows that were over before `before`. @returns how many; less than `limit`: no more */
  apply(policy: RetentionPolicyName, before: Date, limit: number): Promise<number>;
  /** Records what a run has dropped, once for each run. */
  record(run: { readonly workflowId: string; readonly startedAt: Date }, result: RetentionResult): Promise<void>;
}

/** Of a table, the rows for which a condition holds; $1 is the time before which they were over. */
interface Over {
  readonly table: string;
  readonly condition: string;
  /** Instead of dropping the row: what is emptied. */
  readonly emptied?: string;
}

/** The rows are sought without waiting for whoever holds one: it is met in the next run. */
const statementOf = (name: string, { table, condition, emptied }: Over): Statement => {
  const rows = `SELECT ctid FROM ${table} WHERE ${condition} LIMIT $2 FOR UPDATE SKIP LOCKED`;
  const act = emptied === undefined ? `DELETE FROM ${table}` : `UPDATE ${table} SET ${emptied}`;
  return {
    name: `retention/${name}`,
    text: `
      WITH done AS (${act} WHERE ctid = ANY(ARRAY(${rows})) RETURNING 1 AS row)
      SELECT count(*)::int AS count FROM done`,
  };
};

const CLOSED = 'coalesce(closed_at, expires_at) < $1';
const EXPIRED = 'expires_at < $1';

const TABLES: Readonly<Record<Exclude<RetentionPolicyName, 'audit' | 'abandoned-registrations'>, Over>> = {
  registrations: { table: 'registrations', condition: 'closed_at < $1' },
  'person-keys': {
    table: 'person_keys',
    condition: `erased_at IS NULL AND created_at < $1
      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = person_keys.person_id)
      AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.person_id = person_keys.person_id)`,
  },
  sessions: { table: 'sessions', condition: 'coalesce(ended_at, expires_at) < $1' },
  'password-resets': { table: 'password_resets', condition: CLOSED },
  'contact-texts': {
    table: 'contact_changes',
    condition: `(contact_ciphertext IS NOT NULL OR previous_ciphertext IS NOT NULL) AND ${CLOSED}`,
    emptied: 'contact_ciphertext = NULL, previous_ciphertext = NULL',
  },
  'contact-changes': { table: 'contact_changes', condition: CLOSED },
  'mfa-enrollments': { table: 'mfa_enrollments', condition: CLOSED },
  'factor-codes': { table: 'factor_codes', condition: EXPIRED },
  'recovery-codes': { table: 'recovery_codes', condition: 'used_at < $1' },
  'data-exports': { table: 'data_exports', condition: 'coalesce(expires_at, requested_at) < $1' },
  'login-challenges': { table: 'login_challenges', condition: EXPIRED },
  'passkey-challenges': { table: 'passkey_challenges', condition: EXPIRED },
  'remembered-devices': { table: 'remembered_devices', condition: EXPIRED },
  'account-recoveries': { table: 'account_recoveries', condition: 'closed_at < $1' },
  'known-devices': { table: 'known_devices', condition: 'last_used_at < $1' },
  'login-failures': { table: 'login_failures', condition: EXPIRED },
  'idempotency-keys': { table: 'idempotency_keys', condition: EXPIRED },
  'mail-deliveries': { table: 'mail_deliveries', condition: 'created_at < $1' },
  notices: { table: 'notice_outbox', condition: 'created_at < $1' },
};
/** With the secret of whoever asked: they never became an account. */
const ABANDONED: Statement = {
  name: 'retention/abandoned-registrations',
  text: `
    WITH done AS (
      DELETE FROM registrations WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM registrations WHERE closed_at IS NULL AND expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
      )) RETURNING person_id
    ), forgotten AS (
      DELETE FROM person_keys USING done WHERE person_keys.person_id = done.person_id
    )
    SELECT count(*)::int AS count FROM done`,
};
const STATEMENTS = new Map<string, Statement>([
  ...Object.entries(TABLES).map(([name, over]) => [name, statementOf(name, over)] as const),
  ['abandoned-registrations', ABANDONED],
]);

const IS_RECORDED = {
  name: 'retention/is-recorded',
  text: `SELECT 1 AS found FROM audit_events WHERE action = 'retention.applied' AND workflow_id = $1 AND occurred_at >= $2`,
};

interface Dependencies {
  readonly database: Pick<Database, 'sql'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly pruneAudit: PruneAudit;
}

export const createRetentionRepository = (deps: Dependencies): RetentionRepository => {
  const { database, audit, pruneAudit } = deps;
  return {
    async apply(policy, before, limit) {
      const statement = STATEMENTS.get(policy);
      if (statement === undefined) return pruneAudit(before, limit);
      const [row] = await database.sql<{ count: number }>(statement, [before, limit]);
      return row?.count ?? 0;
    },

    async record({ workflowId, startedAt }, result) {
      // Two runs that a schedule starts within one second have the same id.
      if ((await database.sql(IS_RECORDED, [workflowId, startedAt])).length > 0) return;
      const actor = { kind: 'service' } as const;
      await audit.append(database.sql, { action: 'retention.applied', actor, workflowId, details: result });
    },
  };
};
