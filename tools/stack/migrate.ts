import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Client } from 'pg';

import type { ClientTls } from '../../src/config/tls.config';
import { toConnectionOptions } from '../../src/repositories/postgres-address';

import { NO_FILTERS, type SchemaEngine, withSchemaEngine } from '../schema-engine';

import { grantToService } from './service-role';

/** Any constant does, as long as nothing else in this database locks it. */
const MIGRATION_LOCK_KEY = 7_310_117_110;

type MigrationList = Parameters<SchemaEngine['applyMigrations']>[0]['migrationsList'];

const readMigrations = async (folder: string): Promise<MigrationList> => {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: folder,
    lockfile: { path: 'migration_lock.toml', content: await readFile(join(folder, 'migration_lock.toml'), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(join(folder, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  };
};

/**
 * Applies the migrations that the database lacks. Callers that come at the same time wait for one another.
 *
 * @param databaseUrl as the owner
 * @param serviceUrl what the processes connect with; where that is another role, it is given what they need
 * @param tls without it the connection is in the clear
 * @returns the names of those applied, oldest first
 */
export const migrate = async (
  databaseUrl: string,
  migrationsDir: string,
  serviceUrl: string,
  tls?: ClientTls,
): Promise<string[]> => {
  const address = { url: databaseUrl, ...(tls !== undefined && { tls }) };
  const migrationsList = await readMigrations(migrationsDir);
  const lock = new Client(toConnectionOptions(address));
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK_KEY]);
    const applied = await withSchemaEngine(address, async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
      return appliedMigrationNames;
    });
    await grantToService(lock, databaseUrl, serviceUrl);
    return applied;
  } finally {
    await lock.end();
  }
};
