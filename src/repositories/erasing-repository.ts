import type { WorkflowTraces } from '../contracts/account-erasure-workflow';

import type { AuditTrail } from './audit-trail';
import { clearLoginFailures, type LoginFailureKey } from './login-failure-repository';
import { destroyPersonKey } from './person-key-repository';
import type { Database } from './prisma-client';
import type { Sql } from './sql';

export interface ErasingRepository {
  /** Before anything is dropped: the rows tell it. */
  findTraces(userId: string): Promise<WorkflowTraces>;
  /**
   * In one transaction: destroys the person's secret, drops every row about them and records that it is done. What stays are ids,
   * times and values that nobody can read. A second call changes nothing.
   */
  erase(erasure: { erasureId: string; userId: string; workflowId: string }): Promise<void>;
}

interface Dependencies {
  readonly database: Pick<Database, 'sql' | 'transact'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  /** Under what the failed logins of an identifier are counted, wherever they came from. */
  readonly failureKeyOf: (identifierIndex: Uint8Array) => LoginFailureKey;
}

const FIND_TRACES = {
  name: 'erasing/find-traces',
  text: `
    SELECT
      ARRAY(
        SELECT workflow_id FROM registrations WHERE user_id = $1 OR person_id = $1
        UNION SELECT workflow_id FROM password_resets WHERE user_id = $1
        UNION SELECT workflow_id FROM contact_changes WHERE user_id = $1
        UNION SELECT workflow_id FROM mfa_enrollments WHERE user_id = $1
        UNION SELECT workflow_id FROM account_recoveries WHERE user_id = $1
        -- Not what somebody else's workflow did to the person: that one is about somebody else.
        UNION SELECT workflow_id FROM audit_events
        WHERE subject_id = $1 AND workflow_id IS NOT NULL AND (actor_id = $1 OR actor_kind <> 'user')
      ) AS "workflowIds",
      ARRAY(
        SELECT encode(email_index, 'hex') FROM users WHERE id = $1
        UNION SELECT encode(contact_index, 'hex') FROM contact_changes
        WHERE user_id = $1 AND channel = 'EMAIL' AND status = 'COMPLETED'
      ) AS "emailIndexes"`,
};
const HOLD = {
  name: 'erasing/hold',
  text: 'SELECT email_index, phone_index FROM users WHERE id = $1 FOR UPDATE',
};
const HOLD_ERASURE = {
  name: 'erasing/hold-erasure',
  text: `SELECT status::text AS state FROM account_erasures WHERE id = $1 FOR UPDATE`,
};
/** Open registrations of the same address: whoever made them, the address is the person's. */
const REGISTRATIONS = `SELECT * FROM registrations WHERE user_id = $1 OR person_id = $1 OR email_index = $2`;
/** The records of what was mailed, by the ids of all that it was about. */
const FORGET_DELIVERIES = {
  name: 'erasing/forget-deliveries',
  text: `
    DELETE FROM mail_deliveries WHERE split_part(key, '/', 2) IN (
      SELECT $1::uuid::text
      UNION SELECT id::text FROM (${REGISTRATIONS}) AS registration
      UNION SELECT id::text FROM sessions WHERE user_id = $1
      UNION SELECT id::text FROM password_resets WHERE user_id = $1
      UNION SELECT id::text FROM contact_changes WHERE user_id = $1
      UNION SELECT id::text FROM mfa_enrollments WHERE user_id = $1
      UNION SELECT id::text FROM factors WHERE user_id = $1
      UNION SELECT id::text FROM factor_codes WHERE user_id = $1
      UNION SELECT id::text FROM data_exports WHERE user_id = $1
      UNION SELECT id::text FROM recovery_codes WHERE user_id = $1
      UNION SELECT id::text FROM account_recoveries WHERE user_id = $1
    )`,
};
const FORGET_REGISTRATIONS = {
  name: 'erasing/forget-registrations',
  text: `DELETE FROM registrations WHERE id IN (SELECT id FROM (${REGISTRATIONS}) AS r) RETURNING person_id AS "personId"`,
};
const FORGET_CHALLENGES = {
  name: 'erasing/forget-challenges',
  text: 'DELETE FROM passkey_challenges WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)',
};
const FORGET_NOTICES = { name: 'erasing/forget-notices', text: 'DELETE FROM notice_outbox WHERE user_id = $1' };
/** With all that belongs to it: contacts, password, sessions, factors, consents, devices. */
const DROP_ACCOUNT = { name: 'erasing/drop-account', text: 'DELETE FROM users WHERE id = $1' };
const COMPLETE = {
  name: 'erasing/complete',
  text: `UPDATE account_erasures SET status = 'COMPLETED', closed_at = $2 WHERE id = $1`,
};

export const createErasingRepository = ({ database, audit, failureKeyOf }: Dependencies): ErasingRepository => {
  const forgetRows = async (sql: Sql, userId: string, emailIndex: Buffer | null): Promise<void> => {
    await sql(FORGET_DELIVERIES, [userId, emailIndex]);
    await sql(FORGET_CHALLENGES, [userId]);
    const registrations = await sql<{ personId: string }>(FORGET_REGISTRATIONS, [userId, emailIndex]);
    await sql(FORGET_NOTICES, [userId]);
    await sql(DROP_ACCOUNT, [userId]);
    for (const personId of new Set([userId, ...registrations.map((each) => each.personId)]))
      await destroyPersonKey(sql, personId);
  };

  return {
    async findTraces(userId) {
      const [traces] = await database.sql<WorkflowTraces>(FIND_TRACES, [userId]);
      return traces ?? { workflowIds: [], emailIndexes: [] };
    },

    erase: ({ erasureId, userId, workflowId }) =>
      database.transact(async (sql) => {
        const [account] = await sql<{ email_index: Buffer; phone_index: Buffer | null }>(HOLD, [userId]);
        const [erasure] = await sql<{ state: string }>(HOLD_ERASURE, [erasureId]);
        if (erasure?.state !== 'ERASING') return;
        const indexes = account === undefined ? [] : [account.email_index, account.phone_index];
        await clearLoginFailures(
          sql,
          indexes.flatMap((index) => (index === null ? [] : [failureKeyOf(index)])),
        );
        await forgetRows(sql, userId, account?.email_index ?? null);
        await sql(COMPLETE, [erasureId, new Date()]);
        const actor = { kind: 'service' } as const;
        await audit.append(sql, {
          ...{ action: 'account.erased', actor, subjectId: userId, workflowId, details: { erasureId } },
        });
      }),
  };
};
