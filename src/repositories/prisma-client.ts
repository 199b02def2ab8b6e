import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';

import type { DatabaseConfig } from '../config/database.config';
import { PrismaClient } from '../generated/prisma/client';

import { createPool } from './pool';
import { createSql, createTransact, type Sql, type Transact } from './sql';

export interface Database {
  /** For what is rare; its query compiler is loaded at the first use. */
  readonly prisma: PrismaClient;
  /** For what every request or every registration does. */
  readonly sql: Sql;
  readonly transact: Transact;
  /**
   * For keys, on connections of its own: whoever holds one of the others may wait for a key, so that no number of
   * transactions that do can keep the key from coming.
   */
  readonly keySql: Sql;
  /** `listener` is told of every commit of this process that may have added to the audit trail; one at most. */
  onRecorded(listener: () => void): void;
  /** Gives every connection back. */
  $disconnect(): Promise<void>;
}

const createPrisma = (pool: Pool, config: DatabaseConfig): PrismaClient =>
  new PrismaClient({
    adapter: new PrismaPg(pool),
    // Values must not reach the log; errors are thrown and logged once, without them.
    errorFormat: 'minimal',
    transactionOptions: { maxWait: config.connectTimeoutMs, timeout: config.queryTimeoutMs },
  });

/** Looked up in batches, so that more would wait for work. */
const KEY_CONNECTIONS = 2;

/**
 * PostgreSQL: one pool of connections under SQL and Prisma, and a small one for keys. Each connection is made with what
 * `config` says by then.
 *
 * @param refreshSecrets asked when the server refuses the password: brings `config` up to date
 */
export const createDatabase = (config: DatabaseConfig, refreshSecrets?: () => Promise<void>): Database => {
  const pool = createPool(config, { size: config.poolSize, refreshSecrets });
  const keyPool = createPool(config, { size: KEY_CONNECTIONS, refreshSecrets });
  const prisma = createPrisma(pool, config);
  let tell = (): void => undefined;
  const onRecorded = (): void => tell();
  return {
    prisma,
    sql: createSql(pool, onRecorded),
    transact: createTransact(pool, onRecorded),
    keySql: createSql(keyPool),
    onRecorded: (listener) => {
      tell = listener;
    },
    $disconnect: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), keyPool.end()]);
    },
  };
};

const PING = { name: 'ping', text: 'SELECT 1' };

export const pingDatabase = async ({ sql }: Database): Promise<void> => {
  await sql(PING, []);
};
