import { connectAsSuperuser } from './audit';
import type { TestService } from './service';
import { eventually } from './eventually';

export interface Hold {
  readonly release: () => Promise<void>;
}

/** Keeps everybody who wants to write to a table waiting, until it is released; with `readers` those who read it as well. */
export const holdTable = async ({ database }: TestService, table: string, readers = false): Promise<Hold> => {
  const connection = await database.connect();
  await connection.query('BEGIN');
  // Under SHARE readers pass; INSERT, UPDATE and DELETE wait.
  await connection.query(`LOCK TABLE ${table} IN ${readers ? 'ACCESS EXCLUSIVE' : 'SHARE'} MODE`);
  return {
    release: async () => {
      await connection.query('ROLLBACK');
      connection.release();
    },
  };
};

/** Whoever is to come may have to wait for the timeouts of what was killed before. */
const ARRIVAL_MS = 50_000;

/** Waits until somebody stands before a held table. */
export const someoneWaits = ({ database }: TestService, table: string): Promise<true> =>
  eventually(
    `somebody to wait for ${table}`,
    async () => {
      const { rowCount } = await database.query(
        `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::regclass`,
        [table],
      );
      return (rowCount ?? 0) > 0 && true;
    },
    ARRIVAL_MS,
  );

/** Ends who stands before a held table: else Postgres still does what a dead process has asked for. */
export const dropWaiting = async ({ stack }: TestService, table: string): Promise<void> => {
  const superuser = connectAsSuperuser(stack);
  await superuser.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = $1::regclass`,
    [table],
  );
  await superuser.end();
};
