import { RECOVERY_COUNT_WINDOW_MS, RECOVERY_PAUSES_MS } from '../contracts/account-recovery';
import { type BeginOutcome, type RecoveryBegin, recoveryOriginLocation } from '../contracts/account-recovery-workflow';
import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';

import type { AuditTrail } from './audit-trail';
import type { Sql } from './sql';

export interface NewRecovery extends RecoveryBegin {
  readonly userId: string;
  readonly workflowId: string;
  readonly waitMs: number;
  readonly at: number;
}

export interface RequestDependencies {
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly recoveryTokens: {
    cancelToken(recoveryId: string): string;
    hash(token: string): Uint8Array<ArrayBuffer>;
  };
  /** None begins so long after a change of the phone or the address, milliseconds. */
  readonly highRiskHoldMs: number;
}

/** What a recovery is while it can still come to something. */
export const OPEN = `status IN ('WAITING', 'READY')`;
const HOLD_ACCOUNT = {
  name: 'account-recovery/hold-account',
  text: `
    SELECT u.status::text, p.changed_at, GREATEST(u.phone_changed_at, (
      SELECT max(closed_at) FROM contact_changes c WHERE c.user_id = u.id AND c.channel = 'EMAIL' AND c.status = 'COMPLETED'
    )) AS contact_changed_at
    FROM users u JOIN password_credentials p ON p.user_id = u.id WHERE u.id = $1 FOR NO KEY UPDATE OF u`,
};
export const FIND_OPEN = {
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

interface AccountRow {
  readonly status: string;
  readonly changed_at: Date;
  readonly contact_changed_at: Date | null;
}
export interface OpenRow {
  readonly id: string;
  readonly user_id: string;
  readonly state: 'WAITING' | 'READY';
  readonly requested_at: Date;
  readonly available_at: Date;
}

const toOpen = ({ id, state, requested_at, available_at }: OpenRow): BeginOutcome => ({
  ...{ outcome: 'open', recoveryId: id, state },
  requestedAt: requested_at.getTime(),
  availableAt: available_at.getTime(),
});

/** How long the next one has to wait, milliseconds. */
const pauseOf = async (sql: Sql, userId: string, account: AccountRow, highRiskHoldMs: number): Promise<number> => {
  const now = Date.now();
  const held = account.contact_changed_at === null ? 0 : account.contact_changed_at.getTime() + highRiskHoldMs;
  const since = new Date(now - RECOVERY_COUNT_WINDOW_MS);
  const [failed] = await sql<{ count: number; last: Date | null }>(COUNT_FAILED, [userId, since, account.changed_at]);
  const pause = RECOVERY_PAUSES_MS[Math.min(failed?.count ?? 0, RECOVERY_PAUSES_MS.length - 1)] ?? 0;
  return Math.max(0, held - now, (failed?.last?.getTime() ?? 0) + pause - now);
};

/** Stores a recovery, or gives the one that is open; `recoveryId` makes a repeated call the same request. In one transaction. */
export const requestRecovery = async (
  sql: Sql,
  { cipher, audit, recoveryTokens, highRiskHoldMs }: RequestDependencies,
  { recoveryId, userId, workflowId, waitMs, at, ...begin }: NewRecovery,
): Promise<BeginOutcome> => {
  const [account] = await sql<AccountRow>(HOLD_ACCOUNT, [userId]);
  if (account?.status !== 'ACTIVE' || account.changed_at.getTime() !== begin.passwordChangedAt)
    return { outcome: 'closed' };
  const [open] = await sql<OpenRow>(FIND_OPEN, [userId]);
  if (open !== undefined) return toOpen(open);
  const retryAfterMs = await pauseOf(sql, userId, account, highRiskHoldMs);
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
};
