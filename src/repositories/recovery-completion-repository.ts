import { isApproved } from '../contracts/account-recovery';
import {
  type CompletionOutcome,
  type RecoveryCompletion,
  recoveryOriginLocation,
  type RecoveryState,
} from '../contracts/account-recovery-workflow';
import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher } from '../contracts/data-protection';
import type { Role } from '../contracts/session';

import type { AuditTrail } from './audit-trail';
import type { Database } from './prisma-client';

export interface RecoveryCompletionRepository {
  /**
   * Removes every factor and recovery code, ends every session, enrolment and login that is under way, and forgets remembered
   * devices, in one transaction with its record; `attemptId` makes a repeated call the same attempt.
   */
  complete(completion: RecoveryCompletion & { readonly at: number }): Promise<CompletionOutcome>;
}

interface Dependencies {
  readonly database: Pick<Database, 'transact'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append'>;
}

/** The order of everybody: the password, the account, then what hangs on it. */
const HOLD_PASSWORD = {
  name: 'recovery-completion/hold-password',
  text: `
    SELECT p.changed_at FROM password_credentials p JOIN account_recoveries r ON r.user_id = p.user_id
    WHERE r.id = $1 FOR NO KEY UPDATE OF p`,
};
const HOLD_ACCOUNT = {
  name: 'recovery-completion/hold-account',
  text: `
    SELECT u.status::text FROM users u JOIN account_recoveries r ON r.user_id = u.id WHERE r.id = $1 FOR NO KEY UPDATE OF u`,
};
const HOLD = {
  name: 'recovery-completion/hold',
  text: `
    SELECT user_id, workflow_id, status::text AS state, password_changed_at, token_expires_at, last_attempt_id,
      ARRAY(SELECT role::text FROM user_roles o WHERE o.user_id = r.user_id) AS roles,
      ARRAY(SELECT is_admin FROM account_recovery_approvals a WHERE a.recovery_id = r.id) AS approvals
    FROM account_recoveries r WHERE id = $1 FOR UPDATE`,
};
/** The hash of the token stays, so that a repetition of the request that used it is told from another use. */
const COMPLETE = {
  name: 'recovery-completion/complete',
  text: `
    WITH completed AS (
      UPDATE account_recoveries SET status = 'COMPLETED', closed_at = $2, closed_by = 'owner', last_attempt_id = $3
      WHERE id = $1 RETURNING user_id
    ), factors AS (DELETE FROM factors USING completed c WHERE factors.user_id = c.user_id
    ), codes AS (DELETE FROM recovery_codes USING completed c WHERE recovery_codes.user_id = c.user_id
    ), sent AS (UPDATE factor_codes SET code_hash = NULL FROM completed c WHERE factor_codes.user_id = c.user_id
    ), enrolments AS (
      UPDATE mfa_enrollments e SET status = 'ENDED', secret_ciphertext = NULL, closed_at = $2 FROM completed c
      WHERE e.user_id = c.user_id AND e.status = 'OPEN'
    ), logins AS (DELETE FROM login_challenges USING completed c WHERE login_challenges.user_id = c.user_id
    )
    SELECT user_id FROM completed`,
};
const END_SESSIONS = {
  name: 'recovery-completion/end-sessions',
  text: `
    WITH live AS (SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id FOR UPDATE)
    UPDATE sessions SET ended_at = $2, ended_by = 'ACCOUNT_RECOVERED' FROM live WHERE sessions.id = live.id`,
};
const FORGET_DEVICES = {
  name: 'recovery-completion/forget-devices',
  text: 'DELETE FROM remembered_devices WHERE user_id = $1',
};

interface Row {
  readonly user_id: string;
  readonly workflow_id: string;
  readonly state: RecoveryState;
  readonly password_changed_at: Date;
  readonly token_expires_at: Date | null;
  readonly last_attempt_id: string | null;
  readonly roles: Role[];
  readonly approvals: boolean[];
}

const REFUSED: CompletionOutcome = { outcome: 'invalid_recovery_token' };

export const createRecoveryCompletionRepository = (deps: Dependencies): RecoveryCompletionRepository => ({
  complete: ({ recoveryId, passwordChangedAt, attemptId, originCiphertext, at }) =>
    deps.database.transact(async (sql): Promise<CompletionOutcome> => {
      const [password] = await sql<{ changed_at: Date }>(HOLD_PASSWORD, [recoveryId]);
      const [account] = await sql<{ status: string }>(HOLD_ACCOUNT, [recoveryId]);
      const [row] = await sql<Row>(HOLD, [recoveryId]);
      if (row?.state === 'COMPLETED' && row.last_attempt_id === attemptId) return { outcome: 'completed' };
      const isOwn = [password?.changed_at.getTime(), row?.password_changed_at.getTime()].every(
        (time) => time === passwordChangedAt,
      );
      if (row?.state !== 'READY' || account?.status !== 'ACTIVE' || !isOwn) return REFUSED;
      // A role that was given meanwhile may need another approval.
      const approvals = row.approvals.map((isAdmin) => ({ isAdmin }));
      const isInTime = row.token_expires_at !== null && row.token_expires_at.getTime() > at;
      if (!isInTime || !isApproved(row.roles, approvals)) return REFUSED;
      const [userId, now] = [row.user_id, new Date()];
      await sql(COMPLETE, [recoveryId, now, attemptId]);
      await sql(END_SESSIONS, [userId, now]);
      await sql(FORGET_DEVICES, [userId]);
      const origin = JSON.parse(
        await deps.cipher.decrypt(originCiphertext, recoveryOriginLocation(recoveryId, userId)),
      ) as RequestOrigin;
      await deps.audit.append(sql, {
        ...{ action: 'mfa.recovery_completed', actor: { kind: 'user', id: userId }, subjectId: userId, origin },
        ...{ workflowId: row.workflow_id, details: { recoveryId } },
      });
      return { outcome: 'completed' };
    }),
});
