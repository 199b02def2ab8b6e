import { PrismaPg } from '@prisma/adapter-pg';

import type { DatabaseConfig } from '../config/database.config';
import { PrismaClient } from '../generated/prisma/client';

export type Database = PrismaClient;

/** A pool of PostgreSQL connections under Prisma; it connects at the first query, and again after an outage. */
export const createDatabase = (config: DatabaseConfig): Database =>
  new PrismaClient({
    adapter: new PrismaPg({
      connectionString: config.url,
      max: config.poolSize,
      connectionTimeoutMillis: config.connectTimeoutMs,
      statement_timeout: config.queryTimeoutMs,
    }),
    // Values must not reach the log; errors are thrown and logged once, without them.
    errorFormat: 'minimal',
    transactionOptions: { maxWait: config.connectTimeoutMs, timeout: config.queryTimeoutMs },
  });

export const pingDatabase = async (database: Database): Promise<void> => {
  await database.$queryRaw`SELECT 1`;
};
