import { DatabaseError, type Pool, type PoolClient, type QueryResultRow } from 'pg';

/**
 * A statement of the hot paths, written as SQL: one round trip instead of several, and without Prisma's query compiler,
 * which costs a request more than Postgres does and a process 80 MiB.
 */
export interface Statement {
  /** Postgres parses and plans a statement of one name once for each connection. */
  readonly name: string;
  readonly text: string;
}

/** Runs statements, each in a transaction of its own or all in the one it was made for. */
export type Sql = <Row extends QueryResultRow>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** Runs `work` in a transaction, which is rolled back when it throws. */
export type Transact = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

/** PostgreSQL classes 08 (connection), 28 (login), 53 (resources) and 57P (shutdown, crash, starting up). */
export const UNAVAILABLE_STATES = /^(08|28|53|57P)/;

/** The database could not be asked at all, in contrast to having refused what was asked. */
export class DatabaseUnavailableError extends Error {
  readonly code: string;
  constructor(cause: unknown) {
    super('The database cannot be reached', { cause });
    this.name = 'DatabaseUnavailableError';
    this.code = (cause as { code?: string }).code ?? 'DATABASE_UNAVAILABLE';
  }
}

/** What is not an answer of the server says that there was none. */
const asking = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DatabaseError && !UNAVAILABLE_STATES.test(error.code ?? '')) throw error;
    throw new DatabaseUnavailableError(error);
  }
};

const runOn =
  (client: Pool | PoolClient): Sql =>
  async <Row extends QueryResultRow>({ name, text }: Statement, values: readonly unknown[]) => {
    const { rows } = await asking(() => (client as Pool).query<Row>({ name, text, values: [...values] }));
    return rows;
  };

export const createSql = (pool: Pool): Sql => runOn(pool);

/** A failure of `work` is what the caller hears of, whatever becomes of the transaction after it. */
const rollBack = async (client: PoolClient): Promise<boolean> =>
  client.query('ROLLBACK').then(
    () => true,
    () => false,
  );

export const createTransact =
  (pool: Pool): Transact =>
  async (work) => {
    const client = await asking(() => pool.connect());
    let usable = false;
    try {
      await asking(() => client.query('BEGIN'));
      const result = await work(runOn(client)).catch(async (error: unknown) => {
        usable = await rollBack(client);
        throw error;
      });
      await asking(() => client.query('COMMIT'));
      usable = true;
      return result;
    } finally {
      client.release(!usable);
    }
  };
