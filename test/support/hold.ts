import type { TestService } from './service';
import { eventually } from './eventually';

/** Keeps everybody who wants to write to a table waiting, until it is released. */
export const holdTable = async (
  { database }: TestService,
  table: string,
): Promise<{ release: () => Promise<void> }> => {
  const connection = await database.connect();
  await connection.query('BEGIN');
  // Readers pass; INSERT, UPDATE and DELETE wait.
  await connection.query(`LOCK TABLE ${table} IN SHARE MODE`);
  return {
    release: async () => {
      await connection.query('ROLLBACK');
      connection.release();
    },
  };
};

/** Waits until somebody stands before a held table. */
export const someoneWaits = ({ database }: TestService, table: string): Promise<true> =>
  eventually(`somebody to wait for ${table}`, async () => {
    const { rowCount } = await database.query(`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::regclass`, [
      table,
    ]);
    return (rowCount ?? 0) > 0 && true;
  });
