import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';

import { loadConfig } from '../../src/config/load';
import type { NewAuditEvent } from '../../src/contracts/audit';
import { buildProtection } from '../../src/container/protection';
import { canonicalContent, CHAIN_START, chainHash, type ChainedAuditRow } from '../../src/repositories/audit-content';
import type { AuditTrail } from '../../src/repositories/audit-trail';
import { type AuditVerifier, createAuditVerifier } from '../../src/repositories/audit-verifier';
import { createDatabase, type Database } from '../../src/repositories/prisma-client';
import { connectAsSuperuser, withTamperedTrail } from '../support/audit';
import { useStack } from '../support/stack';

let databases: Database[] = [];
let database: Database;
let superuser: Pool;
let owner: Pool;
let audit: AuditTrail;
let verify: AuditVerifier;

afterAll(async () => {
  await Promise.all(databases.map((one) => one.$disconnect()));
  await superuser.end();
  await owner.end();
});
const stack = useStack('postgres');
beforeAll(async () => {
  const config = loadConfig(['database', 'keys', 'security'], stack.env);
  databases = [createDatabase(config.database), createDatabase(config.database)];
  database = databases[0]!;
  superuser = connectAsSuperuser(stack);
  owner = new Pool({ connectionString: stack.databaseOwnerUrl, max: 1 });
  owner.on('error', () => undefined);
  const protection = buildProtection(config, database);
  audit = protection.audit;
  verify = createAuditVerifier(database, protection.auditSeal);
  for (let index = 0; index < 5; index++) await audit.append(database.sql, event());
});

const USER = '019ac0de-5b1c-7f2e-9c39-3f9a4d1f0a11';
const ORIGIN = { requestId: 'request-7319', ip: '198.51.100.73', userAgent: 'Sentinel/7 (ሰላም)' };
const event = (change: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  action: 'session.opened',
  actor: { kind: 'user', id: USER },
  subjectId: USER,
  origin: ORIGIN,
  details: { note: 'ሰላም "quoted" \\ 😀', amr: ['pwd'] },
  ...change,
});
const rowsOf = async (): Promise<ChainedAuditRow[]> =>
  (await superuser.query<ChainedAuditRow>('SELECT * FROM audit_events ORDER BY sequence')).rows;
const count = async (): Promise<number> => (await rowsOf()).length;

describe('the audit trail', () => {
  it('chains events as the canonical text says, whatever stands in them', async () => {
    await audit.append(
      database.sql,
      event({ subjectId: undefined, origin: undefined, details: undefined, actor: { kind: 'service' } }),
      event({ workflowId: 'registration/x', outcome: 'denied', details: {} }),
    );
    let previous: Buffer = CHAIN_START;
    for (const [index, row] of (await rowsOf()).entries()) {
      expect(row.sequence).toBe(String(index + 1));
      expect(row.previous_hash).toEqual(previous);
      expect(row.hash).toEqual(chainHash(previous, BigInt(index + 1), row.seal, canonicalContent(row)));
      previous = row.hash;
    }
    expect(await verify()).toMatchObject({ valid: true, complete: true, checked: await count() });
  });

  it('says who, what, when, from where and to whom; where from only to whoever has the keys', async () => {
    const [row] = await rowsOf();
    expect(row).toMatchObject({
      action: 'session.opened',
      outcome: 'success',
      actor_kind: 'user',
      actor_id: USER,
      subject_id: USER,
      request_id: ORIGIN.requestId,
    });
    const { rows } = await superuser.query<{ line: string }>('SELECT t::text AS line FROM audit_events t');
    expect(JSON.stringify(rows)).not.toMatch(/198\.51\.100|Sentinel/);
  });

  it('keeps one chain under 50 writers of two processes at once', async () => {
    const before = await count();
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const { transact, sql } = databases[index % 2]!;
        return index % 3 === 0
          ? audit.append(sql, event())
          : transact((inside) => audit.append(inside, event(), event()));
      }),
    );
    expect(await count()).toBe(before + 17 + 33 * 2);
    expect(await verify()).toMatchObject({ valid: true, complete: true, checked: await count() });
  });

  it('records nothing when the transaction of the act is rolled back', async () => {
    const before = await rowsOf();
    const act = database.transact(async (sql) => {
      await audit.append(sql, event());
      throw new Error('the act failed');
    });
    await expect(act).rejects.toThrow('the act failed');
    expect(await rowsOf()).toEqual(before);
    await audit.append(database.sql, event());
    expect(await verify()).toMatchObject({ valid: true, complete: true });
  });

  it('checks in parts, from an event that is taken for granted', async () => {
    expect(await verify({ after: 5n })).toMatchObject({ valid: true, checked: (await count()) - 5 });
    expect(await verify({ after: 1_000_000n })).toMatchObject({ valid: false, defect: { kind: 'missing' } });
    expect(await verify({ budgetMs: -1 })).toMatchObject({ valid: true, complete: false });
  });
});

describe('a change of the audit trail', () => {
  const CHANGES = [
    `UPDATE audit_events SET details = NULL WHERE sequence = 2`,
    `DELETE FROM audit_events WHERE sequence = 2`,
    `TRUNCATE audit_events`,
    `DELETE FROM audit_chain`,
    `TRUNCATE audit_chain`,
  ];

  it.each([
    ...CHANGES,
    `UPDATE audit_chain SET sequence = 0`,
    `INSERT INTO audit_chain (id, sequence, hash) VALUES (2, 0, '\\x00')`,
    `ALTER TABLE audit_events DISABLE TRIGGER ALL`,
    `DROP TABLE audit_events`,
    `DROP TRIGGER audit_events_append_only ON audit_events`,
    `SET session_replication_role = replica`,
    `CREATE OR REPLACE FUNCTION chain_audit_event() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    `UPDATE _prisma_migrations SET checksum = ''`,
  ])('is refused to the role of the processes: %s', async (sql) => {
    const before = await rowsOf();
    const service = new Pool({ connectionString: stack.env['DATABASE_URL'], max: 1 });
    await expect(service.query(sql)).rejects.toMatchObject({ code: '42501' });
    await service.end();
    expect(await rowsOf()).toEqual(before);
  });

  it.each(CHANGES)('is refused to the owner and the superuser while the triggers stand: %s', async (sql) => {
    const before = await rowsOf();
    await expect(owner.query(sql)).rejects.toMatchObject({ code: '42501' });
    await expect(superuser.query(sql)).rejects.toMatchObject({ code: '42501' });
    const asReplica = superuser.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
    await expect(asReplica).rejects.toMatchObject({ code: '42501' });
    await superuser.query('ROLLBACK');
    expect(await rowsOf()).toEqual(before);
  });

  const COLUMNS = `id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id, workflow_id,
    origin_ciphertext, details, seal, previous_hash, hash`;
  const last = '(SELECT max(sequence) FROM audit_events)';

  it.each<[string, string, string]>([
    ...[
      `action = 'x'`,
      `outcome = 'failure'`,
      `actor_kind = 'service'`,
      `actor_id = NULL`,
      `subject_id = '${randomUUID()}'`,
      `request_id = 'x'`,
      `workflow_id = 'x'`,
      `origin_ciphertext = NULL`,
      `details = '{}'`,
      `seal = 'v1:dev1:x'`,
      `id = '${randomUUID()}'`,
      `occurred_at = occurred_at + interval '1 ms'`,
      `hash = '\\x00'`,
    ].map((change): [string, string, string] => [
      `changed: ${change.slice(0, 12)}`,
      `UPDATE audit_events SET ${change} WHERE sequence = 3`,
      'changed',
    ]),
    ['changed: the hash before', `UPDATE audit_events SET previous_hash = '\\x00' WHERE sequence = 3`, 'not_chained'],
    ['removed', `DELETE FROM audit_events WHERE sequence = 3`, 'missing'],
    [
      'removed, the others moved up',
      `DELETE FROM audit_events WHERE sequence = 3; UPDATE audit_events SET sequence = sequence - 1 WHERE sequence = 4`,
      'not_chained',
    ],
    ['removed, the first', `DELETE FROM audit_events WHERE sequence = 1`, 'missing'],
    ['removed, the last', `DELETE FROM audit_events WHERE sequence = ${last}`, 'wrong_end'],
    [
      'inserted at the end',
      `INSERT INTO audit_events (sequence, ${COLUMNS})
       SELECT sequence + 1, gen_random_uuid(), ${COLUMNS.slice(3)} FROM audit_events WHERE sequence = ${last}`,
      'not_chained',
    ],
    [
      'inserted in the midst',
      `UPDATE audit_events SET sequence = -sequence WHERE sequence > 3;
       UPDATE audit_events SET sequence = 1 - sequence WHERE sequence < 0;
       INSERT INTO audit_events (sequence, ${COLUMNS})
       SELECT 4, gen_random_uuid(), ${COLUMNS.slice(3)} FROM audit_events WHERE sequence = 3`,
      'not_chained',
    ],
    [
      'reordered',
      `UPDATE audit_events SET sequence = -3 WHERE sequence = 3; UPDATE audit_events SET sequence = 3 WHERE sequence = 4;
       UPDATE audit_events SET sequence = 4 WHERE sequence = -3`,
      'not_chained',
    ],
  ])('by a superuser who takes the triggers away is found: %s', async (_what, sql, kind) => {
    await withTamperedTrail(superuser, sql, async () => {
      expect(await verify()).toMatchObject({ valid: false, defect: { kind } });
    });
    expect(await verify()).toMatchObject({ valid: true, complete: true });
  });

  /** Numbers and chains all events anew, as the trigger did. */
  const CHAIN_ANEW = `
    UPDATE audit_chain SET sequence = 0, hash = decode(repeat('00', 32), 'hex');
    CREATE TABLE again AS TABLE audit_events; DELETE FROM audit_events;
    ALTER TABLE audit_events ENABLE TRIGGER audit_events_chain;
    INSERT INTO audit_events SELECT * FROM again ORDER BY sequence;
    ALTER TABLE audit_events DISABLE TRIGGER audit_events_chain; DROP TABLE again;`;

  it('by a superuser who chains everything anew is found by the seal, which takes a key', async () => {
    await withTamperedTrail(
      superuser,
      `UPDATE audit_events SET outcome = 'failure' WHERE sequence = 3; ${CHAIN_ANEW}`,
      async () => {
        expect(await verify()).toMatchObject({ valid: false, defect: { kind: 'not_genuine', sequence: 3n } });
      },
    );
  });

  it('by a superuser who removes events and chains the rest anew is found by an end that was kept elsewhere', async () => {
    const expected = (await verify()).last;
    await withTamperedTrail(superuser, `DELETE FROM audit_events WHERE sequence = 3; ${CHAIN_ANEW}`, async () => {
      expect(await verify()).toMatchObject({ valid: true });
      expect(await verify({ expected })).toMatchObject({ valid: false, defect: { kind: 'missing' } });
    });
    await audit.append(database.sql, event());
    expect(await verify({ expected })).toMatchObject({ valid: true, complete: true });
    expect(await verify({ expected: { ...expected, hash: '00' } })).toMatchObject({
      valid: false,
      defect: { kind: 'not_expected' },
    });
  });
});
