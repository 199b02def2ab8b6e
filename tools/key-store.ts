import { buildProtection } from '../src/container/protection';
import { createKeyStoreRepository, type KeyStoreRepository } from '../src/repositories/key-store-repository';
import { createDatabase, type Database } from '../src/repositories/prisma-client';
import type { Sql } from '../src/repositories/sql';

import { loadServiceConfig } from './service-environment';

/** Statements over all keys take longer than those of a request. */
const STATEMENT_TIMEOUT_MS = 120_000;

type Protection = ReturnType<typeof buildProtection>;

export interface OpenKeyStore {
  readonly database: Database;
  readonly store: KeyStoreRepository;
  readonly protection: Protection;
  /** Keys and trail as they are within a transaction. */
  readonly protectionWithin: (sql: Sql) => Protection;
}

/** Runs `work` on the key store of the environment, or else of the running embedded stack. */
export const withKeyStore = async <T>(work: (keyStore: OpenKeyStore) => Promise<T>): Promise<T> => {
  const config = await loadServiceConfig();
  const database = createDatabase({ ...config.database, queryTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    return await work({
      database,
      store: createKeyStoreRepository(database),
      protection: buildProtection(config, database),
      protectionWithin: (sql) => buildProtection(config, { sql, keySql: sql }),
    });
  } finally {
    await database.$disconnect();
  }
};

/** Runs a command: what it returns is printed, what it throws as well, with exit code 1. */
export const runCommand = (command: () => Promise<string>): void => {
  command().then(console.log, (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
};
