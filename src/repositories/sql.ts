import { DatabaseError, type Pool, type PoolClient, type QueryResultRow } from 'pg';

import { askInSpan } from '../observability/span';

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

/** The beginning of every statement that adds to the audit trail, or of its part that does. */
export const RECORDING = 'INSERT INTO audit_events';
const isRecording = ({ text }: Statement): boolean => text.includes(RECORDING);

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
  (client: Pool | PoolClient, onRecorded: () => void): Sql =>
  async <Row extends QueryResultRow>(statement: Statement, values: readonly unknown[]) => {
    const { name, text } = statement;
    const { rows } = await asking(() =>
      askInSpan(name, { 'db.system.name': 'postgresql', 'db.query.summary': name }, () =>
        (client as Pool).query<Row>({ name, text, values: [...values] }),
      ),
    );
    if (isRecording(statement)) onRecorded();
    return rows;
  };

/** @param onRecorded told of each statement that may have added to the audit trail, when it is committed */
export const createSql = (pool: Pool, onRecorded: () => void = () => undefined): Sql => runOn(pool, onRecorded);

/** A failure of `work` is what the caller hears of, whatever becomes of the transaction after it. */
const rollBack = async (client: PoolClient): Promise<boolean> =>
  client.query('ROLLBACK').then(
    () => true,
    () => false,
  );

/** @param onRecorded told of each transaction that may have added to the audit trail, when it is committed */
export const createTransact =
  (pool: Pool, onRecorded: () => void = () => undefined): Transact =>
  async (work) => {
    const client = await asking(() => pool.connect());
    let usable = false;
    let recorded = 0;
    try {
      await asking(() => client.query('BEGIN'));
      const sql = runOn(client, () => (recorded += 1));
      const result = await work(sql).catch(async (error: unknown) => {
        usable = await rollBack(client);
        throw error;
      });
      await asking(() => client.query('COMMIT'));
      usable = true;
      if (recorded > 0) onRecorded();
      return result;
    } finally {
      client.release(!usable);
    }
  };
