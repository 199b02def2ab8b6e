import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';

import { RETENTION_POLICIES } from '../../src/contracts/retention';
import { PROJECT_ROOT } from '../../tools/project';
import { useStack } from '../support/stack';

interface Records {
  readonly classes: Readonly<Record<string, string>>;
  readonly activities: Readonly<
    Record<string, { purpose: string; legalBasis: string; dataSubjects: string[]; recipients: string[] }>
  >;
  readonly kept: Readonly<Record<string, string>>;
  readonly tables: Readonly<
    Record<string, { activity: string; retention: string[]; columns: Readonly<Record<string, string>> }>
  >;
}
const records = JSON.parse(
  readFileSync(join(PROJECT_ROOT, 'docs', 'compliance', 'processing-records.json'), 'utf8'),
) as Records;
const tables = Object.entries(records.tables);

let pool: Pool;
/** Columns of the migrated database by table. */
const columns = new Map<string, string[]>();
afterAll(() => pool.end());
const stack = useStack('postgres');
beforeAll(async () => {
  pool = new Pool({ connectionString: stack.databaseOwnerUrl, max: 1 });
  pool.on('error', () => undefined);
  const { rows } = await pool.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1, 2`,
  );
  for (const { table, column } of rows) columns.set(table, [...(columns.get(table) ?? []), column]);
});

describe('the records of processing', () => {
  it('classify every column of the database, and no other', () => {
    const classified = Object.fromEntries(tables.map(([table, { columns: own }]) => [table, Object.keys(own).sort()]));
    expect(classified).toEqual(Object.fromEntries([...columns].map(([table, own]) => [table, [...own].sort()])));
  });

  it('know each class, and take nothing encrypted or indexed for what is about nobody', () => {
    for (const [table, { activity, columns: own }] of tables) {
      for (const [column, name] of Object.entries(own)) {
        expect([table, column, Object.keys(records.classes)]).toEqual([table, column, expect.arrayContaining([name])]);
        const isPersonal = activity !== 'none' && /(_ciphertext|_index)$/.test(column);
        if (isPersonal) expect([table, column, name]).not.toEqual([table, column, 'technical']);
      }
      const isAboutNobody = Object.values(own).every((name) => name === 'technical');
      expect([table, isAboutNobody]).toEqual([table, activity === 'none']);
    }
  });

  it('say for every table why it is held and on what basis', () => {
    for (const [table, { activity }] of tables.filter(([, each]) => each.activity !== 'none')) {
      const { purpose = '', legalBasis = '', dataSubjects = [] } = records.activities[activity] ?? {};
      expect([table, purpose !== '' && legalBasis !== '' && dataSubjects.length > 0]).toEqual([table, true]);
    }
  });

  it('say for how long: with the account, by a policy of the retention, or why it stays', () => {
    const allowed = ['account', 'kept', ...Object.keys(RETENTION_POLICIES)];
    for (const [table, { activity, retention }] of tables) {
      expect([table, allowed]).toEqual([table, expect.arrayContaining(retention)]);
      expect([table, retention.length > 0]).toEqual([table, activity !== 'none']);
    }
    const keptTables = tables.filter(([, { retention }]) => retention.includes('kept')).map(([table]) => table);
    expect(keptTables.sort()).toEqual(Object.keys(records.kept).sort());
  });

  it('name every policy of the retention', () => {
    const named = new Set(tables.flatMap(([, { retention }]) => retention));
    expect(Object.keys(RETENTION_POLICIES).filter((policy) => !named.has(policy))).toEqual([]);
  });

  it('say "with the account" only of what the database drops with it', async () => {
    const { rows } = await pool.query<{ child: string; parent: string }>(
      `SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint
       WHERE contype = 'f' AND confdeltype = 'c'`,
    );
    const goesWithAccount = new Set(['users', 'person_keys']);
    for (let before = -1; before < goesWithAccount.size;) {
      before = goesWithAccount.size;
      for (const { child, parent } of rows) if (goesWithAccount.has(parent)) goesWithAccount.add(child);
    }
    const named = tables.filter(([, { retention }]) => retention.includes('account')).map(([table]) => table);
    expect(named.filter((table) => !goesWithAccount.has(table))).toEqual([]);
  });
});
