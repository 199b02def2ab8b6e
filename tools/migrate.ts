import { MIGRATIONS_DIR } from './project';
import { migrate } from './stack/migrate';

/**
 * `node dist/tools/migrate.js`: brings the database of MIGRATION_DATABASE_URL up to date and gives the role of DATABASE_URL,
 * as which the processes connect, what it needs. With DATABASE_URL alone one role is owner and service.
 */
const main = async (): Promise<void> => {
  const { DATABASE_URL: serviceUrl = '', MIGRATION_DATABASE_URL: ownerUrl = '' } = process.env;
  if (serviceUrl === '') throw new Error('DATABASE_URL is not set');
  const applied = await migrate(ownerUrl || serviceUrl, MIGRATIONS_DIR, serviceUrl);
  console.log(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}`);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
