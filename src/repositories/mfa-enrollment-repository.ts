import { v7 as uuidv7 } from 'uuid';

import type { FieldCipher, FieldLocation } from '../contracts/data-protection';
import { IDEMPOTENCY_KEY_LIFE_MS } from '../contracts/idempotency';
import type { FactorCodeRefusal } from '../contracts/factor-code-workflow';
import { type FactorKind, MAX_FACTOR_ATTEMPTS } from '../contracts/mfa';
import type { ConfirmOutcome, EnrollmentAttempt, OpenEnrollment } from '../contracts/mfa-enrollment-workflow';

import type { AuditTrail } from './audit-trail';
import {
  EnrollmentRefused,
  FACTOR_TYPES,
  type FactorStrategies,
  type FactorType,
  kindOf,
  type ProvenFactor,
} from './factor-kinds';
import { factorSecretLocation, insertRecoveryCodes, type RecoveryCodeSets } from './factor-repository';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

export interface NewEnrollment {
  readonly enrollmentId: string;
  readonly workflowId: string;
  readonly userId: string;
  readonly factor: FactorKind;
  readonly labelCiphertext?: string | undefined;
  readonly expiresInMs: number;
}

/** An enrolment as its owner's requests meet it. */
export interface Enrollment {
  readonly workflowId: string;
  readonly status: 'OPEN' | 'CONFIRMED' | 'ENDED';
  readonly expiresAt: Date;
  readonly closedAt: Date | null;
  readonly lastAttemptId: string | null;
  readonly factorId: string | null;
  readonly recoveryCodes: boolean;
  /** What the code is tried against, while it is open: the secret of an authenticator app, the challenge of a passkey. */
  readonly secret: string | undefined;
}

export interface MfaEnrollmentRepository {
  /**
   * Stores an enrolment with a new secret and ends an older one; a second call with the same id changes nothing. Refused where
   * the code that it waits for cannot be sent.
   */
  create(enrollment: NewEnrollment): Promise<OpenEnrollment | FactorCodeRefusal>;
  find(userId: string, enrollmentId: string): Promise<Enrollment | undefined>;
  /**
   * Tries a code. The right one puts the factor in force, in the stead of an older one where one of its kind is all, and makes
   * recovery codes for an account that had no second factor, all in one transaction. `attemptId` makes a repeated call the same try.
   */
  confirm(attempt: EnrollmentAttempt & { readonly attemptId: string }): Promise<ConfirmOutcome>;
  /** Ends an open enrolment; does nothing to one that is closed. */
  end(enrollmentId: string): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly cipher: FieldCipher;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly strategies: FactorStrategies;
  readonly recoveryCodes: RecoveryCodeSets;
}

interface Row {
  readonly user_id: string;
  readonly workflow_id: string;
  readonly type: FactorType;
  readonly status: Enrollment['status'];
  readonly label_ciphertext: string | null;
  readonly secret_ciphertext: string | null;
  readonly failed_attempts: number;
  readonly last_attempt_id: string | null;
  readonly factor_id: string | null;
  readonly recovery_codes: boolean;
  readonly expires_at: Date;
  readonly closed_at: Date | null;
}
const COLUMNS = `user_id, workflow_id, type::text, status::text, label_ciphertext, secret_ciphertext, failed_attempts,
  last_attempt_id, factor_id, recovery_codes, expires_at, closed_at`;

/** One after the other of an account; also those that are gone for good are cleared away. */
const CREATE = {
  name: 'mfa-enrollment/create',
  text: `
    WITH older AS (
      UPDATE mfa_enrollments SET status = 'ENDED', secret_ciphertext = NULL, closed_at = $7
      WHERE user_id = $3 AND type = $4::factor_type AND status = 'OPEN' AND id <> $1
    ), gone AS (
      DELETE FROM mfa_enrollments WHERE user_id = $3 AND status <> 'OPEN' AND closed_at < $9
    )
    INSERT INTO mfa_enrollments (id, workflow_id, user_id, type, label_ciphertext, secret_ciphertext, created_at, expires_at)
    VALUES ($1, $2, $3, $4::factor_type, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
};
/** Of two that begin at once the later one must see the earlier one, to end it. */
const HOLD_OWNER = { name: 'mfa-enrollment/hold-owner', text: 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE' };
const FIND = {
  name: 'mfa-enrollment/find',
  text: `SELECT ${COLUMNS} FROM mfa_enrollments WHERE id = $1 AND user_id = $2`,
};
const FIND_EXPIRY = {
  name: 'mfa-enrollment/find-expiry',
  text: 'SELECT expires_at FROM mfa_enrollments WHERE id = $1',
};
/** Serialises everything that happens to the factors of an account, its row first and always in this order. */
const HOLD_ACCOUNT = {
  name: 'mfa-enrollment/hold-account',
  text: `
    SELECT 1 FROM users u JOIN mfa_enrollments e ON e.user_id = u.id
    WHERE e.id = $1 AND u.status = 'ACTIVE' FOR NO KEY UPDATE OF u`,
};
const HOLD = { name: 'mfa-enrollment/hold', text: `SELECT ${COLUMNS} FROM mfa_enrollments WHERE id = $1 FOR UPDATE` };
const COUNT_WRONG = {
  name: 'mfa-enrollment/count-wrong',
  text: `UPDATE mfa_enrollments SET failed_attempts = failed_attempts + 1, last_attempt_id = $2 WHERE id = $1`,
};
const END = {
  name: 'mfa-enrollment/end',
  text: `
    UPDATE mfa_enrollments SET status = 'ENDED', secret_ciphertext = NULL, closed_at = $2
    WHERE id = $1 AND status = 'OPEN'`,
};
/** Where one factor of the kind is all: the old one, whose last step is no concern of another secret. Before the new one comes. */
const DROP_FACTOR = {
  name: 'mfa-enrollment/drop-factor',
  text: 'DELETE FROM factors WHERE user_id = $1 AND type = $2::factor_type',
};
const ADD_FACTOR = {
  name: 'mfa-enrollment/add-factor',
  text: `
    INSERT INTO factors (id, user_id, type, label_ciphertext, secret_ciphertext, last_time_step, created_at, confirmed_at)
    VALUES ($1, $2, $3::factor_type, $4, $5, $6, $7, $7)`,
};
const HAS_FACTOR = {
  name: 'mfa-enrollment/has-factor',
  text: `
    SELECT EXISTS (SELECT 1 FROM factors WHERE user_id = $1) AS any_kind,
      EXISTS (SELECT 1 FROM factors WHERE user_id = $1 AND type = $2::factor_type) AS same_kind`,
};
const CONFIRM = {
  name: 'mfa-enrollment/confirm',
  text: `
    UPDATE mfa_enrollments SET status = 'CONFIRMED', secret_ciphertext = NULL, closed_at = $2, last_attempt_id = $3,
      factor_id = $4, recovery_codes = $5 WHERE id = $1`,
};

const secretLocation = (rowId: string, userId: string): FieldLocation => ({
  table: 'mfa_enrollments',
  column: 'secret_ciphertext',
  rowId,
  personId: userId,
});

export const createMfaEnrollmentRepository = (deps: Dependencies): MfaEnrollmentRepository => {
  const { database, cipher, audit, strategies, recoveryCodes } = deps;
  const secretOf = async (id: string, { secret_ciphertext: ciphertext, ...row }: Row): Promise<string | undefined> =>
    ciphertext === null ? undefined : cipher.decrypt(ciphertext, secretLocation(id, row.user_id));

  const fail = async (sql: Sql, id: string, row: Row, attemptId: string): Promise<ConfirmOutcome> => {
    await sql(COUNT_WRONG, [id, attemptId]);
    const isLast = row.failed_attempts + 1 >= MAX_FACTOR_ATTEMPTS;
    if (isLast) await sql(END, [id, new Date()]);
    const { user_id: userId, workflow_id: workflowId } = row;
    await audit.append(sql, {
      ...{ action: 'mfa.enrollment_failed', outcome: 'failure', actor: { kind: 'user', id: userId } },
      ...{ subjectId: userId, workflowId, details: { enrollmentId: id, code: 'invalid_code' } },
    });
    return { outcome: isLast ? 'too_many_attempts' : 'invalid_code' };
  };

  /** What was proven becomes the factor. */
  const succeed = async (sql: Sql, id: string, row: Row, proven: ProvenFactor, attemptId: string) => {
    const { user_id: userId, workflow_id: workflowId, type } = row;
    const [now, factorId] = [new Date(), uuidv7()];
    const { isSingle } = strategies[kindOf(type)];
    const [had] = await sql<{ any_kind: boolean; same_kind: boolean }>(HAS_FACTOR, [userId, type]);
    const isFirst = had?.any_kind !== true;
    const secret =
      proven.secret === undefined ? null : await cipher.encrypt(proven.secret, factorSecretLocation(factorId, userId));
    const factor = [factorId, userId, type, row.label_ciphertext, secret, proven.timeStep ?? null, now];
    if (isSingle) await sql(DROP_FACTOR, [userId, type]);
    await sql(ADD_FACTOR, factor);
    await proven.store?.(sql, { factorId, userId, now });
    if (isFirst) await insertRecoveryCodes(sql, recoveryCodes, { userId, setId: factorId, now });
    await sql(CONFIRM, [id, now, attemptId, factorId, isFirst]);
    const replaced = isSingle && had?.same_kind === true;
    await audit.append(sql, {
      ...{ action: 'mfa.factor_added', actor: { kind: 'user', id: userId }, subjectId: userId, workflowId },
      details: { enrollmentId: id, factorId, type, replaced, recoveryCodes: isFirst },
    });
    return { outcome: 'confirmed', factorId, recoveryCodes: isFirst } as const;
  };

  return {
    async create({ enrollmentId, workflowId, userId, factor, labelCiphertext, expiresInMs }) {
      const now = Date.now();
      const times = [new Date(now), new Date(now + expiresInMs), new Date(now - IDEMPOTENCY_KEY_LIFE_MS)];
      const owner = [enrollmentId, workflowId, userId, FACTOR_TYPES[factor], labelCiphertext ?? null];
      const begin = database.transact(async (sql) => {
        await sql(HOLD_OWNER, [userId]);
        const secret = await strategies[factor].begin(sql, { enrollmentId, userId });
        const secretCiphertext = await cipher.encrypt(secret, secretLocation(enrollmentId, userId));
        await sql(CREATE, [...owner, secretCiphertext, ...times]);
      });
      const refusal = await begin.then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof EnrollmentRefused) return error.refusal;
          throw error;
        },
      );
      if (refusal !== undefined) return refusal;
      const [row] = await database.sql<Pick<Row, 'expires_at'>>(FIND_EXPIRY, [enrollmentId]);
      return { enrollmentId, expiresAt: row?.expires_at.getTime() ?? now };
    },

    async find(userId, enrollmentId) {
      const [row] = await database.sql<Row>(FIND, [enrollmentId, userId]);
      return (
        row && {
          workflowId: row.workflow_id,
          status: row.status,
          expiresAt: row.expires_at,
          closedAt: row.closed_at,
          lastAttemptId: row.last_attempt_id,
          factorId: row.factor_id,
          recoveryCodes: row.recovery_codes,
          secret: await secretOf(enrollmentId, row),
        }
      );
    },

    confirm: ({ enrollmentId, code, attemptId }) =>
      database.transact(async (sql): Promise<ConfirmOutcome> => {
        const held = await sql(HOLD_ACCOUNT, [enrollmentId]);
        const [row] = await sql<Row>(HOLD, [enrollmentId]);
        if (row === undefined) return { outcome: 'ended' };
        if (row.status === 'CONFIRMED' && row.factor_id !== null)
          return row.last_attempt_id === attemptId
            ? { outcome: 'confirmed', factorId: row.factor_id, recoveryCodes: row.recovery_codes }
            : { outcome: 'already_confirmed' };
        // The same try again, after a crash: it was wrong then.
        if (row.last_attempt_id === attemptId)
          return { outcome: row.status === 'OPEN' ? 'invalid_code' : 'too_many_attempts' };
        const secret = await secretOf(enrollmentId, row);
        if (row.status !== 'OPEN' || secret === undefined || row.expires_at <= new Date() || held.length === 0)
          return { outcome: 'ended' };
        const identity = { enrollmentId, userId: row.user_id, secret };
        const proven = await strategies[kindOf(row.type)].prove(sql, identity, code);
        return proven === undefined
          ? fail(sql, enrollmentId, row, attemptId)
          : succeed(sql, enrollmentId, row, proven, attemptId);
      }),

    async end(enrollmentId) {
      await database.sql(END, [enrollmentId, new Date()]);
    },
  };
};
