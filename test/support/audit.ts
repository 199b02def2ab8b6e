import { Pool } from 'pg';

import type { AuditRow } from '../../src/repositories/audit-content';
import type { Stack } from '../../tools/stack/stack';

/** A superuser of the embedded database: he may do what no role of the service can. */
export const connectAsSuperuser = (stack: Stack): Pool => {
  const url = new URL(stack.postgres?.superuserUrl ?? '');
  url.pathname = '/meqenet_auth';
  const pool = new Pool({ connectionString: url.href, max: 2 });
  pool.on('error', () => undefined);
  return pool;
};

/** What the trail tells of an account, oldest first. */
export const auditEventsOf = async (database: Pool, userId: string, action?: string): Promise<AuditRow[]> => {
  const { rows } = await database.query<AuditRow>(
    `SELECT * FROM audit_events WHERE subject_id = $1 AND ($2::text IS NULL OR action = $2) ORDER BY sequence`,
    [userId, action],
  );
  return rows;
};

const TRIGGERS: Readonly<Record<string, readonly string[]>> = {
  audit_events: ['audit_events_chain', 'audit_events_append_only', 'audit_events_no_truncate'],
  audit_chain: ['audit_chain_stays', 'audit_chain_no_truncate'],
};
const setTriggers = (state: 'DISABLE' | 'ENABLE ALWAYS'): string =>
  Object.entries(TRIGGERS)
    .flatMap(([table, names]) => names.map((name) => `ALTER TABLE ${table} ${state} TRIGGER ${name};`))
    .join('\n');

/** Lets a superuser change the trail, as nobody else can, and takes it back after `look`. */
export const withTamperedTrail = async (superuser: Pool, sql: string, look: () => Promise<void>): Promise<void> => {
  await superuser.query(`
    CREATE TABLE kept_events AS TABLE audit_events; CREATE TABLE kept_chain AS TABLE audit_chain;
    ${setTriggers('DISABLE')}`);
  try {
    await superuser.query(sql);
    await superuser.query(setTriggers('ENABLE ALWAYS'));
    await look();
  } finally {
    await superuser.query(`
      ${setTriggers('DISABLE')}
      DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM kept_events; DROP TABLE kept_events;
      DELETE FROM audit_chain; INSERT INTO audit_chain SELECT * FROM kept_chain; DROP TABLE kept_chain;
      ${setTriggers('ENABLE ALWAYS')}`);
  }
};
