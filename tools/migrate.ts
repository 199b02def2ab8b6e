import { MIGRATIONS_DIR } from './project';
import { migrate } from './stack/migrate';

/** `node dist/tools/migrate.js`: brings the database named by DATABASE_URL up to date. */
const main = async (): Promise<void> => {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') throw new Error('DATABASE_URL is not set');
  const applied = await migrate(url, MIGRATIONS_DIR);
  console.log(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}`);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
