import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { MIGRATIONS_DIR, PROJECT_ROOT } from './project';
import { NO_FILTERS, type SchemaEngine, withSchemaEngine } from './schema-engine';
import { withThrowawayPostgres } from './throwaway-postgres';

const USAGE = `node dist/tools/migration-diff.js [--from <schema.prisma>|empty] [--name <snake_case>] [--check]
  Prints the SQL that leads from the schema at the last migration to prisma/schema.prisma.
  --name   writes it to prisma/migrations/<timestamp>_<name>/migration.sql, ready to be reviewed
  --check  fails when there is a difference, that is, when a migration is missing
  --from   starts from another schema, or from nothing`;

const SCHEMA = join(PROJECT_ROOT, 'prisma', 'schema.prisma');
/** The schema as of the last migration: comparing with it needs no shadow database. */
const MIGRATED_SCHEMA = join(MIGRATIONS_DIR, 'migrated.prisma');

type DiffTarget = Parameters<SchemaEngine['diff']>[0]['from'];

const datamodel = async (path: string): Promise<DiffTarget> => ({
  tag: 'schemaDatamodel',
  files: [{ path, content: await readFile(path, 'utf8') }],
});

const startingPoint = async (from: string | undefined): Promise<DiffTarget> => {
  if (from === 'empty') return { tag: 'empty' };
  if (from !== undefined) return datamodel(from);
  try {
    return await datamodel(MIGRATED_SCHEMA);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { tag: 'empty' };
    throw error;
  }
};

/** SQL from one schema to `prisma/schema.prisma`; empty when they agree. The engine wants a database even for that. */
const diff = (from: string | undefined): Promise<string> =>
  withThrowawayPostgres((databaseUrl) =>
    withSchemaEngine({ url: databaseUrl }, async (engine) => {
      const { exitCode, stdout } = await engine.diff({
        from: await startingPoint(from),
        to: await datamodel(SCHEMA),
        script: true,
        exitCode: true,
        filters: NO_FILTERS,
      });
      return exitCode === 0 ? '' : (stdout ?? '');
    }),
  );

const writeMigration = async (name: string, sql: string): Promise<string> => {
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error('--name takes a-z, 0-9 and _');
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = join(MIGRATIONS_DIR, `${timestamp}_${name}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'migration.sql');
  await writeFile(file, sql);
  await writeFile(join(MIGRATIONS_DIR, 'migration_lock.toml'), 'provider = "postgresql"\n');
  await writeFile(MIGRATED_SCHEMA, await readFile(SCHEMA));
  return file;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      name: { type: 'string' },
      check: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const sql = await diff(values.from);
  if (sql === '') return console.log('-- The migrations and prisma/schema.prisma agree.');
  if (values.name !== undefined) return console.log(`Wrote ${await writeMigration(values.name, sql)}`);
  console.log(sql);
  if (values.check) throw new Error('prisma/schema.prisma has changed without a migration');
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
