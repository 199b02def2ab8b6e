import { v7 as uuidv7 } from 'uuid';

import type { RequestOrigin } from '../contracts/audit';
import type { FieldCipher, FieldLocation } from '../contracts/data-protection';
import type { FactorKind } from '../contracts/mfa';
import { factorLabelLocation } from '../contracts/mfa-enrollment-workflow';
import type { Role } from '../contracts/session';

import type { AuditTrail } from './audit-trail';
import { kindOf, STRONG_TYPES } from './factor-kinds';
import { insertNotice } from './notice-outbox';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

type Hash = Uint8Array<ArrayBuffer>;

/** Recovery codes by the id of their set, and what is stored of one. */
export interface RecoveryCodeSets {
  codes(setId: string): string[];
  hash(userId: string, code: string): Hash | undefined;
}

export interface Factor {
  readonly id: string;
  readonly factor: FactorKind;
  readonly label: string | null;
  readonly confirmedAt: Date;
  /** Of a passkey. */
  readonly backedUp?: boolean;
  readonly lastUsedAt?: Date | null;
}

/** Second factors in force. */
export interface FactorRepository {
  list(userId: string): Promise<{ readonly factors: readonly Factor[]; readonly recoveryCodesLeft: number }>;
  hasAny(userId: string): Promise<boolean>;
  /** Id and secret (base32) of the authenticator app. */
  findTotp(userId: string): Promise<{ readonly id: string; readonly secret: string } | undefined>;
  /** Uses a time step up. False where it, or a later one, has been used: of all who ask at once one is told true. */
  useTimeStep(factorId: string, step: number): Promise<boolean>;
  /** Uses a recovery code up, once. @returns the event that its owner is told of; undefined where there is no such code */
  useRecoveryCode(userId: string, hash: Hash): Promise<string | undefined>;
  /**
   * Removes a factor; with the last one its recovery codes go as well. `required`: it is the last strong one of an account that has
   * one of these roles, and stays.
   */
  remove(
    removal: { readonly userId: string; readonly factorId: string; readonly requiredRoles: readonly Role[] },
    origin: RequestOrigin,
  ): Promise<'removed' | 'not_found' | 'required'>;
  /** Replaces the recovery codes by those of a new set. False where the account has no second factor. */
  renewRecoveryCodes(userId: string, setId: string, origin: RequestOrigin): Promise<boolean>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: Pick<FieldCipher, 'decrypt'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly recoveryCodes: RecoveryCodeSets;
}

const LIST = {
  name: 'factor/list',
  text: `
    SELECT f.id, f.type::text, f.label_ciphertext, f.confirmed_at, p.backed_up, p.last_used_at,
      (SELECT count(*)::int FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL) AS codes_left
    FROM factors f LEFT JOIN passkeys p ON p.factor_id = f.id WHERE f.user_id = $1 ORDER BY f.id`,
};
interface ListRow {
  readonly id: string;
  readonly type: string;
  readonly label_ciphertext: string | null;
  readonly confirmed_at: Date;
  readonly backed_up: boolean | null;
  readonly last_used_at: Date | null;
  readonly codes_left: number;
}
const HAS_ANY = {
  name: 'factor/has-any',
  text: 'SELECT EXISTS (SELECT 1 FROM factors WHERE user_id = $1) AS found',
};
const FIND_TOTP = {
  name: 'factor/find-totp',
  text: `SELECT id, secret_ciphertext FROM factors WHERE user_id = $1 AND type = 'TOTP'`,
};
const USE_STEP = {
  name: 'factor/use-time-step',
  text: `
    UPDATE factors SET last_time_step = $2
    WHERE id = $1 AND (last_time_step IS NULL OR last_time_step < $2::bigint) RETURNING id`,
};
const USE_RECOVERY_CODE = {
  name: 'factor/use-recovery-code',
  text: `
    WITH used AS (
      UPDATE recovery_codes SET used_at = $3
      WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL
        AND EXISTS (SELECT 1 FROM factors WHERE user_id = $1) RETURNING id
    ), noticed AS (
      ${insertNotice('mfa:recovery-code-used', { eventId: '(SELECT id FROM used)', userId: '$1', now: '$3' }, 'used')}
    )
    SELECT id FROM used`,
};
const HOLD_ACCOUNT = { name: 'factor/hold-account', text: 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE' };
/** The last strong factor ($2) of an account that has one of the roles ($3). */
const IS_REQUIRED = {
  name: 'factor/is-required',
  text: `
    SELECT 1 FROM factors f WHERE f.id = $2 AND f.user_id = $1 AND f.type IN (${STRONG_TYPES})
      AND NOT EXISTS (SELECT 1 FROM factors o WHERE o.user_id = $1 AND o.id <> $2 AND o.type IN (${STRONG_TYPES}))
      AND EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = $1 AND r.role::text = ANY($3::text[]))`,
};
const REMOVE = {
  name: 'factor/remove',
  text: `
    WITH removed AS (
      DELETE FROM factors WHERE id = $2 AND user_id = $1 RETURNING type
    ), noticed AS (
      ${insertNotice('mfa:disabled', { eventId: '$2', userId: '$1', now: '$3' }, 'removed')}
    )
    SELECT type::text FROM removed`,
};
const DROP_RECOVERY_CODES = {
  name: 'factor/drop-recovery-codes',
  text: 'DELETE FROM recovery_codes WHERE user_id = $1',
};
const INSERT_RECOVERY_CODES = {
  name: 'factor/insert-recovery-codes',
  text: `
    INSERT INTO recovery_codes (id, user_id, code_hash, created_at)
    SELECT id, $1, code_hash, $4 FROM unnest($2::uuid[], $3::bytea[]) AS codes(id, code_hash)`,
};

/** Replaces the recovery codes of an account by those of a set, in the caller's transaction, which holds the account. */
export const insertRecoveryCodes = async (
  sql: Sql,
  sets: RecoveryCodeSets,
  { userId, setId, now }: { readonly userId: string; readonly setId: string; readonly now: Date },
): Promise<void> => {
  const hashes = sets.codes(setId).map((code) => sets.hash(userId, code));
  await sql(DROP_RECOVERY_CODES, [userId]);
  await sql(INSERT_RECOVERY_CODES, [userId, hashes.map(() => uuidv7()), hashes, now]);
};

const COUNT_LEFT = {
  name: 'factor/count-recovery-codes-left',
  text: 'SELECT count(*)::int AS left FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL',
};
/** How many recovery codes of an account still work. */
export const countRecoveryCodesLeft = async (sql: Sql, userId: string): Promise<number> => {
  const [row] = await sql<{ left: number }>(COUNT_LEFT, [userId]);
  return row?.left ?? 0;
};

export const factorSecretLocation = (rowId: string, userId: string): FieldLocation => ({
  table: 'factors',
  column: 'secret_ciphertext',
  rowId,
  personId: userId,
});

export const createFactorRepository = ({ database, cipher, audit, recoveryCodes }: Dependencies): FactorRepository => {
  const hasAny = async (sql: Sql, userId: string): Promise<boolean> => {
    const [row] = await sql<{ found: boolean }>(HAS_ANY, [userId]);
    return row?.found === true;
  };

  return {
    async list(userId) {
      const rows = await database.sql<ListRow>(LIST, [userId]);
      const factors = await Promise.all(
        rows.map(async ({ id, type, label_ciphertext: label, backed_up: backedUp, ...row }) => ({
          ...{ id, factor: kindOf(type), confirmedAt: row.confirmed_at },
          ...(backedUp !== null && { backedUp, lastUsedAt: row.last_used_at }),
          label: label === null ? null : await cipher.decrypt(label, factorLabelLocation(userId)),
        })),
      );
      return { factors, recoveryCodesLeft: rows[0]?.codes_left ?? 0 };
    },

    hasAny: (userId) => hasAny(database.sql, userId),

    async findTotp(userId) {
      const [row] = await database.sql<{ id: string; secret_ciphertext: string }>(FIND_TOTP, [userId]);
      return (
        row && { id: row.id, secret: await cipher.decrypt(row.secret_ciphertext, factorSecretLocation(row.id, userId)) }
      );
    },

    async useTimeStep(factorId, step) {
      return (await database.sql(USE_STEP, [factorId, step])).length === 1;
    },

    async useRecoveryCode(userId, hash) {
      const [used] = await database.sql<{ id: string }>(USE_RECOVERY_CODE, [userId, hash, new Date()]);
      return used?.id;
    },

    remove: ({ userId, factorId, requiredRoles }, origin) =>
      database.transact(async (sql) => {
        await sql(HOLD_ACCOUNT, [userId]);
        if ((await sql(IS_REQUIRED, [userId, factorId, requiredRoles])).length > 0) return 'required';
        const [removed] = await sql<{ type: string }>(REMOVE, [userId, factorId, new Date()]);
        if (removed === undefined) return 'not_found';
        if (!(await hasAny(sql, userId))) await sql(DROP_RECOVERY_CODES, [userId]);
        const [actor, details] = [{ kind: 'user', id: userId } as const, { factorId, type: removed.type }];
        await audit.append(sql, { action: 'mfa.factor_removed', actor, subjectId: userId, origin, details });
        return 'removed';
      }),

    renewRecoveryCodes: (userId, setId, origin) =>
      database.transact(async (sql) => {
        await sql(HOLD_ACCOUNT, [userId]);
        if (!(await hasAny(sql, userId))) return false;
        await insertRecoveryCodes(sql, recoveryCodes, { userId, setId, now: new Date() });
        const actor = { kind: 'user', id: userId } as const;
        await audit.append(sql, { action: 'mfa.recovery_codes_renewed', actor, subjectId: userId, origin });
        return true;
      }),
  };
};
