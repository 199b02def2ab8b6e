import { loadConfig } from '../../src/config/load';
import { buildProtection, type Protection } from '../../src/container/protection';
import { createDatabase } from '../../src/repositories/prisma-client';

/** Runs `work` with the keys of a running service. */
export const withProtection = async <T>(
  { env }: { readonly env: Readonly<Record<string, string | undefined>> },
  work: (protection: Protection) => Promise<T>,
): Promise<T> => {
  const config = loadConfig(['database', 'keys', 'security'], env);
  const database = createDatabase(config.database);
  try {
    return await work(buildProtection(config, database));
  } finally {
    await database.$disconnect();
  }
};
