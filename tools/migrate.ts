import { loadConfig } from '../src/config/load';

import { MIGRATIONS_DIR } from './project';
import { migrate } from './stack/migrate';

/**
 * `node dist/tools/migrate.js`: brings the database of MIGRATION_DATABASE_URL up to date and gives the role of DATABASE_URL,
 * as which the processes connect, what it needs. With DATABASE_URL alone one role is owner and service. DATABASE_TLS and the
 * variables beside it are for both.
 */
const main = async (): Promise<void> => {
  const { database: service } = loadConfig(['database']);
  const { MIGRATION_DATABASE_URL: url, MIGRATION_DATABASE_URL_FILE: file } = process.env;
  const asOwner = { ...process.env, DATABASE_URL: url, DATABASE_URL_FILE: file };
  const owner = url || file ? loadConfig(['database'], asOwner).database : service;
  const applied = await migrate(owner.url, MIGRATIONS_DIR, service.url, owner.tls);
  console.log(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}`);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
