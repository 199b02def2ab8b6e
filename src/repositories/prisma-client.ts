import { PrismaPg } from '@prisma/adapter-pg';
import type { Pool } from 'pg';

import type { DatabaseConfig } from '../config/database.config';
import { PrismaClient } from '../generated/prisma/client';

import { createPool, createSql, createTransact, type Sql, type Transact } from './sql';

export interface Database {
  /** For what is rare; its query compiler is loaded at the first use. */
  readonly prisma: PrismaClient;
  /** For what every request or every registration does. */
  readonly sql: Sql;
  readonly transact: Transact;
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

/** PostgreSQL: one pool of connections under SQL and Prisma. */
export const createDatabase = (config: DatabaseConfig): Database => {
  const pool = createPool(config);
  const prisma = createPrisma(pool, config);
  return {
    prisma,
    sql: createSql(pool),
    transact: createTransact(pool),
    $disconnect: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
};

const PING = { name: 'ping', text: 'SELECT 1' };

export const pingDatabase = async ({ sql }: Database): Promise<void> => {
  await sql(PING, []);
};
