import { isApproved, type RecoveryEnding } from '../contracts/account-recovery';
import type { AccountRecoveryResult, BeginOutcome, RecoveryState } from '../contracts/account-recovery-workflow';
import type { RequestOrigin } from '../contracts/audit';
import type { Role } from '../contracts/session';

import { type AuditTrail, insertAuditEvents } from './audit-trail';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import {
  FIND_OPEN,
  type NewRecovery,
  OPEN,
  type OpenRow,
  type RequestDependencies,
  requestRecovery,
} from './recovery-request';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

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

interface Dependencies extends RequestDependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly audit: AuditTrail;
  readonly recoveryTokens: RequestDependencies['recoveryTokens'] & { completionToken(recoveryId: string): string };
}

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
const SERVICE = { kind: 'service' } as const;

export const createAccountRecoveryRepository = (deps: Dependencies): AccountRecoveryRepository => {
  const { database, audit, recoveryTokens } = deps;
  const first = async (...[statement, values]: Parameters<Sql>): Promise<RecoveryForMessage | undefined> => {
    const [row] = await database.sql<FoundRow>(statement, values);
    return row && toFound(row);
  };

  return {
    create: (recovery) => database.transact((sql) => requestRecovery(sql, deps, recovery)),

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
